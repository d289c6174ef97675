#Requires -Version 5.1
<#
.SYNOPSIS
Removes the Seatwatch probe. Configuration, outbox and log stay unless -Purge is given: an outbox may hold what the hub has not got.

.DESCRIPTION
Exit code: 0 removed, or was not there; 1 failed; 2 cannot be removed by this user.

.PARAMETER Purge
Remove the data folder too.
#>
[CmdletBinding()]
param(
    [switch] $Purge,
    [string] $Target = (Join-Path $(if ($env:ProgramW6432) { $env:ProgramW6432 } else { $env:ProgramFiles }) 'Seatwatch'),
    [string] $Data = (Join-Path $env:ProgramData 'Seatwatch')
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$Service = 'SeatwatchProbe'
$StopSeconds = 30

$identity = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $identity.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
    [Console]::Error.WriteLine('uninstall.ps1: run it as an administrator')
    exit 2
}
try {
    $found = Get-Service -Name $Service -ErrorAction SilentlyContinue
    if ($found) {
        if ($found.Status -ne 'Stopped') {
            $process = (Get-CimInstance -ClassName Win32_Service -Filter "Name='$Service'").ProcessId
            Stop-Service -Name $Service -Force
            $found.WaitForStatus('Stopped', [TimeSpan]::FromSeconds($StopSeconds))
            if ($process) {
                # it says so shortly before it ends, and until then its files cannot be removed
                Wait-Process -Id $process -Timeout $StopSeconds -ErrorAction SilentlyContinue
            }
        }
        & 'sc.exe' 'delete' $Service | Out-Null
        if ($LASTEXITCODE -ne 0) {
            throw "sc.exe delete ended with $LASTEXITCODE"
        }
    }
    foreach ($part in 'python', 'packages', 'python.new', 'packages.new') {
        $there = Join-Path $Target $part
        if (Test-Path -LiteralPath $there) {
            Remove-Item -LiteralPath $there -Recurse -Force
        }
    }
    if ((Test-Path -LiteralPath $Target) -and -not (Get-ChildItem -LiteralPath $Target -Force)) {
        Remove-Item -LiteralPath $Target -Force
    }
    if ($Purge -and (Test-Path -LiteralPath $Data)) {
        Remove-Item -LiteralPath $Data -Recurse -Force
    }
} catch {
    [Console]::Error.WriteLine("uninstall.ps1: $($_.Exception.Message)")
    exit 1
}
exit 0
