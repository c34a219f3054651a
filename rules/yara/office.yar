// Tài liệu văn phòng / office documents.

rule OFFICE_MACRO_AUTORUN : suspicious
{
    meta:
        vi = "Macro tự chạy khi mở tài liệu"
        en = "A macro that runs when the document is opened"
    strings:
        $auto1 = "AutoOpen" nocase
        $auto2 = "Auto_Open" nocase
        $auto3 = "Document_Open" nocase
        $auto4 = "Workbook_Open" nocase
        $vba = "Attribut" // nén theo MS-OVBA / as MS-OVBA compression leaves it
    condition:
        (uint32(0) == 0xE011CFD0 or $vba) and any of ($auto*)
}

rule OFFICE_MACRO_DROPPER : malware
{
    meta:
        vi = "Macro tải hoặc chạy chương trình"
        en = "A macro that fetches or starts a program"
    strings:
        $auto1 = "AutoOpen" nocase
        $auto2 = "Auto_Open" nocase
        $auto3 = "Document_Open" nocase
        $auto4 = "Workbook_Open" nocase
        $do1 = "WScript.Shell" nocase
        $do2 = "MSXML2.XMLHTTP" nocase
        $do3 = "powershell" nocase
        $do4 = "URLDownloadToFile" nocase
        $do5 = "ADODB.Stream" nocase
    condition:
        uint32(0) == 0xE011CFD0 and any of ($auto*) and any of ($do*)
}

rule OFFICE_REMOTE_TEMPLATE : suspicious
{
    meta:
        vi = "Tài liệu kéo khuôn mẫu từ mạng khi mở"
        en = "A document that fetches its template from the network when opened"
    strings:
        $type = "/relationships/attachedTemplate\"" nocase
        $mode = "TargetMode=\"External\"" nocase
        $url = /Target="(https?|file|\\\\)[^"]{3,200}"/ nocase
    condition:
        all of them
}

rule OFFICE_DDE : malware
{
    meta:
        vi = "Tài liệu chạy lệnh qua DDE"
        en = "A document that runs a command through DDE"
    strings:
        $dde = /\bDDE(AUTO)?\s{1,10}"?([^\s"<]{1,80}[\\\/])?(cmd|powershell|mshta|wscript|rundll32)\b/ nocase
        $xml = "w:instrText"
    condition:
        $dde and ($xml or uint32(0) == 0xE011CFD0)
}

rule RTF_EQUATION_OBJECT : malware
{
    meta:
        vi = "RTF nhúng đối tượng Equation, lỗ hổng CVE-2017-11882"
        en = "RTF with an embedded Equation object, as for CVE-2017-11882"
    strings:
        $rtf = "{\\rt"
        $object = "\\objdata" nocase
        $class = "4571756174696f6e2e33" nocase // Equation.3
        $clsid = "02ce020000000000c000000000000046" nocase
    condition:
        $rtf at 0 and $object and ($class or $clsid)
}

rule RTF_PACKAGE_OBJECT : suspicious
{
    meta:
        vi = "RTF nhúng một tệp khác"
        en = "RTF with another file embedded"
    strings:
        $rtf = "{\\rt"
        $object = "\\objdata" nocase
        $class = "5061636b61676500" nocase // Package
    condition:
        $rtf at 0 and $object and $class
}

rule ONENOTE_EMBEDDED_SCRIPT : malware
{
    meta:
        vi = "Sổ OneNote nhúng mã lệnh"
        en = "A OneNote page with an embedded script"
    strings:
        $guid = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC }
        $s1 = "WScript" nocase
        $s2 = "powershell" nocase
        $s3 = "<script" nocase
        $s4 = "cmd /c" nocase
    condition:
        uint32(0) == 0x7B5C52E4 and $guid and any of ($s*)
}
