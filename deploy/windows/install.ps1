#Requires -Version 5.1
<#
.SYNOPSIS
Installs or updates the Seatwatch probe as a Windows service. Asks nothing; meant for software distribution.

.DESCRIPTION
Run it from the unpacked bundle (tools/windows-bundle.sh makes it), as an administrator:

    powershell.exe -NoProfile -ExecutionPolicy Bypass -File install.ps1 -Config probe.toml

The service runs as its own virtual account (NT SERVICE\SeatwatchProbe), which has no password, may write its own data
folder and nothing else. No inbound firewall rule is made: the probe only calls out.

Exit code: 0 installed and running, 1 failed, 2 cannot be installed here, 3 running, but the doctor found something to mend.

.PARAMETER Config
The probe's configuration. Left out, the one of an earlier installation stays.

.PARAMETER Files
Further files the configuration names (certificate, key, token), with commas between. They are copied beside it and closed
to other users.

.PARAMETER Target
Where the program goes.

.PARAMETER Data
Where configuration, outbox and log are.
#>
[CmdletBinding()]
param(
    [string] $Config = '',
    [string[]] $Files = @(),
    [string] $Target = (Join-Path $(if ($env:ProgramW6432) { $env:ProgramW6432 } else { $env:ProgramFiles }) 'Seatwatch'),
    [string] $Data = (Join-Path $env:ProgramData 'Seatwatch')
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$Service = 'SeatwatchProbe'
$Account = "NT SERVICE\$Service"
$StopSeconds = 30
$StartSeconds = 30
# powershell.exe -File hands a list over as one text
$Files = @($Files | ForEach-Object { $_ -split ',' } | Where-Object { $_ })

function Stop-Here([int] $Code, [string] $Message) {
    [Console]::Error.WriteLine("install.ps1: $Message")
    exit $Code
}

function Invoke-Tool([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments | Out-Null
    if ($LASTEXITCODE -ne 0) {
        throw "$Program $($Arguments -join ' ') ended with $LASTEXITCODE"
    }
}

function Assert-Possible {
    $identity = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
    if (-not $identity.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        Stop-Here 2 'run it as an administrator'
    }
    if ([Environment]::OSVersion.Version.Major -lt 10 -or -not [Environment]::Is64BitOperatingSystem) {
        Stop-Here 2 'Windows 10 or 11, 64 bit, is needed'
    }
    foreach ($part in 'python\python.exe', 'packages\seatwatch') {
        if (-not (Test-Path -LiteralPath (Join-Path $PSScriptRoot $part))) {
            Stop-Here 2 "$part is missing beside this script; make the bundle with tools/windows-bundle.sh"
        }
    }
    foreach ($file in @($Config) + $Files) {
        if ($file -and -not (Test-Path -LiteralPath $file)) {
            Stop-Here 2 "no file $file"
        }
    }
    if (-not $Config -and -not (Test-Path -LiteralPath (Join-Path $Data 'probe.toml'))) {
        Stop-Here 2 'give the configuration with -Config'
    }
}

function Stop-Probe {
    $found = Get-Service -Name $Service -ErrorAction SilentlyContinue
    if ($found -and $found.Status -ne 'Stopped') {
        $process = (Get-CimInstance -ClassName Win32_Service -Filter "Name='$Service'").ProcessId
        Stop-Service -Name $Service -Force
        $found.WaitForStatus('Stopped', [TimeSpan]::FromSeconds($StopSeconds))
        if ($process) {
            # it says so shortly before it ends, and until then its files cannot be replaced
            Wait-Process -Id $process -Timeout $StopSeconds -ErrorAction SilentlyContinue
        }
    }
}

function Copy-Beside {
    # before anything is stopped: a full disk or a file that cannot be read leaves the probe that runs as it is
    New-Item -ItemType Directory -Path $Target -Force | Out-Null
    foreach ($part in 'python', 'packages') {
        $beside = Join-Path $Target "$part.new"
        if (Test-Path -LiteralPath $beside) {
            Remove-Item -LiteralPath $beside -Recurse -Force
        }
        Copy-Item -LiteralPath (Join-Path $PSScriptRoot $part) -Destination $beside -Recurse -Force
    }
}

function Switch-Program {
    foreach ($part in 'python', 'packages') {
        $there = Join-Path $Target $part
        if (Test-Path -LiteralPath $there) {
            Remove-Item -LiteralPath $there -Recurse -Force
        }
        Move-Item -LiteralPath "$there.new" -Destination $there
    }
}

function Register-Probe {
    $python = Join-Path $Target 'python\python.exe'
    $toml = Join-Path $Data 'probe.toml'
    $command = "`"$python`" -m seatwatch probe --config `"$toml`" --service"
    if (-not (Get-Service -Name $Service -ErrorAction SilentlyContinue)) {
        New-Service -Name $Service -BinaryPathName $command -DisplayName 'Seatwatch probe' -StartupType Automatic | Out-Null
    }
    # an update may have another folder; the manager does not see its own registry keys change, so it is told
    $known = Get-CimInstance -ClassName Win32_Service -Filter "Name='$Service'"
    $changed = Invoke-CimMethod -InputObject $known -MethodName Change -Arguments @{ PathName = $command }
    if ($changed.ReturnValue -ne 0) {
        throw "the service's command cannot be changed: $($changed.ReturnValue)"
    }
    Set-Service -Name $Service -Description 'What this seat or site says about itself to Seatwatch.'
    Invoke-Tool 'sc.exe' @('config', $Service, 'start=', 'auto', 'obj=', $Account)
    Invoke-Tool 'sc.exe' @('sidtype', $Service, 'unrestricted')
    Invoke-Tool 'sc.exe' @('privs', $Service, 'SeChangeNotifyPrivilege')
    # again after 2 s, 5 s, then every minute, for as long as it takes; also when it ends with an exit code of its own
    Invoke-Tool 'sc.exe' @('failure', $Service, 'reset=', '86400', 'actions=', 'restart/2000/restart/5000/restart/60000')
    Invoke-Tool 'sc.exe' @('failureflag', $Service, '1')
}

function Copy-Data {
    New-Item -ItemType Directory -Path $Data -Force | Out-Null
    # the account exists since the service does: system and administrators everything, the probe what it writes
    Invoke-Tool 'icacls.exe' @($Data, '/inheritance:r', '/grant:r', '*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F', "${Account}:(OI)(CI)M")
    if ($Config) {
        Copy-Item -LiteralPath $Config -Destination (Join-Path $Data 'probe.toml') -Force
    }
    foreach ($file in $Files) {
        Copy-Item -LiteralPath $file -Destination $Data -Force
    }
    Invoke-Tool 'icacls.exe' @((Join-Path $Data '*'), '/reset', '/T', '/C', '/Q')
}

function Test-Probe {
    & (Join-Path $Target 'python\python.exe') -m seatwatch probe doctor --config (Join-Path $Data 'probe.toml') | Out-Host
    return $LASTEXITCODE
}

Assert-Possible
try {
    Copy-Beside
    Stop-Probe
    Switch-Program
    Register-Probe
    Copy-Data
    $doctor = Test-Probe
    if ($doctor -eq 2) {
        throw 'the configuration cannot be used; the line above names the key and the fix'
    }
    Start-Service -Name $Service
    (Get-Service -Name $Service).WaitForStatus('Running', [TimeSpan]::FromSeconds($StartSeconds))
} catch {
    $problem = $_.Exception.Message
    # an update that failed half way: whatever of the probe can still run does
    Start-Service -Name $Service -ErrorAction SilentlyContinue
    Stop-Here 1 $problem
}
if ($doctor -ne 0) {
    exit 3
}
exit 0
