"""The portal: pages for clients, supervisors and auditors, behind local accounts. It keeps no data of its own."""
