// Tệp PDF / PDF files.

rule PDF_LAUNCH : malware
{
    meta:
        vi = "PDF chạy chương trình khi mở"
        en = "A PDF that starts a program when opened"
    strings:
        $pdf = "%PDF-"
        $launch = /\/S\s{0,5}\/Launch\b/
        $what = /\/(F|Win|P)\s{0,5}[(<]/
    condition:
        $pdf in (0..1024) and $launch and $what
}

rule PDF_OPEN_JAVASCRIPT : suspicious
{
    meta:
        vi = "PDF chạy JavaScript khi mở"
        en = "A PDF that runs JavaScript when opened"
    strings:
        $pdf = "%PDF-"
        $open = /\/(OpenAction|AA)\b/
        $js = /\/S\s{0,5}\/J(ava|#61va)?S/
    condition:
        $pdf in (0..1024) and $open and $js
}

rule PDF_EMBEDDED_PROGRAM : malware
{
    meta:
        vi = "PDF mang theo chương trình hoặc mã lệnh"
        en = "A PDF that carries a program or a script"
    strings:
        $pdf = "%PDF-"
        $embedded = "/EmbeddedFile"
        $name = /\/U?F\s{0,5}\([^)]{1,200}\.(exe|scr|js|jse|vbs|vbe|hta|lnk|bat|cmd|ps1|com|pif|iso)\)/ nocase
    condition:
        $pdf in (0..1024) and $embedded and $name
}
