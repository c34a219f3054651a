// Mã lệnh và lối tắt / scripts and shortcuts.

rule LNK_COMMAND : malware
{
    meta:
        vi = "Lối tắt chạy lệnh của hệ thống"
        en = "A shortcut that runs a system command"
    strings:
        $a1 = "powershell" nocase ascii wide
        $a2 = "cmd.exe" nocase ascii wide
        $a3 = "mshta" nocase ascii wide
        $a4 = "wscript" nocase ascii wide
        $a5 = "rundll32" nocase ascii wide
        $a6 = "regsvr32" nocase ascii wide
        $a7 = "certutil" nocase ascii wide
    condition:
        uint32(0) == 0x0000004C and uint32(4) == 0x00021401 and any of them
}

rule SCRIPT_DOWNLOAD_AND_RUN : malware
{
    meta:
        vi = "Mã lệnh tải về rồi chạy"
        en = "A script that fetches and runs"
    strings:
        $get1 = "MSXML2.XMLHTTP" nocase
        $get2 = "WinHttp.WinHttpRequest" nocase
        $save = "ADODB.Stream" nocase
        $run1 = "WScript.Shell" nocase
        $run2 = "Shell.Application" nocase
        $make = /(CreateObject|ActiveXObject)\s{0,5}\(/ nocase
    condition:
        filesize < 2MB and uint32(0) != 0xE011CFD0 and $make and any of ($get*) and ($save or any of ($run*))
}

rule POWERSHELL_HIDDEN_DOWNLOAD : malware
{
    meta:
        vi = "PowerShell ẩn cửa sổ và tải mã về"
        en = "PowerShell that hides itself and fetches code"
    strings:
        $ps = "powershell" nocase ascii wide
        $hide = /-w(i|in|indowstyle)?\s{1,3}(hidden|1)\b/ nocase ascii wide
        $get1 = "DownloadString" nocase ascii wide
        $get2 = "DownloadFile" nocase ascii wide
        $get3 = "Invoke-WebRequest" nocase ascii wide
        $get4 = "FromBase64String" nocase ascii wide
    condition:
        $ps and $hide and any of ($get*)
}

rule POWERSHELL_ENCODED : suspicious
{
    meta:
        vi = "Lệnh PowerShell đã mã hoá"
        en = "An encoded PowerShell command"
    strings:
        $a = /powershell(\.exe)?\s[^\r\n]{0,100}-e(nc|ncodedcommand)?\s{1,3}[A-Za-z0-9+\/]{60}/ nocase
    condition:
        $a
}

rule PROGRAM_IN_BASE64 : suspicious
{
    meta:
        vi = "Chương trình viết dưới dạng Base64 trong một tệp văn bản"
        en = "A program written as Base64 inside a text"
    strings:
        // "MZ" và "This program cannot be run in DOS mode" ở ba vị trí / at three alignments
        $mz = "TVqQAAMAAAAEAAAA"
        $dos1 = "VGhpcyBwcm9ncmFtIGNhbm5vdCBiZSBydW4gaW4gRE9T"
        $dos2 = "RoaXMgcHJvZ3JhbSBjYW5ub3QgYmUgcnVuIGluIERPU"
        $dos3 = "UaGlzIHByb2dyYW0gY2Fubm90IGJlIHJ1biBpbiBET1"
        $mail = /Content-Transfer-Encoding:\s{0,5}base64/ nocase
    condition:
        not $mail and ($mz or any of ($dos*))
}
