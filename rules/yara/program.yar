// Chương trình và gói cài đặt / programs and packages.

import "pe"
import "math"

rule PE_PACKED : suspicious
{
    meta:
        vi = "Chương trình đã bị nén để che nội dung"
        en = "A program packed so that its content is hidden"
    condition:
        pe.is_pe and filesize < 20MB and
        for any i in (0..pe.number_of_sections - 1) : (
            pe.sections[i].raw_data_size > 4096 and
            (pe.sections[i].characteristics & pe.SECTION_MEM_EXECUTE) != 0 and
            math.entropy(pe.sections[i].raw_data_offset, pe.sections[i].raw_data_size) > 7.4
        )
}

rule APK_SMS_ACCESSIBILITY : malware
{
    meta:
        vi = "Ứng dụng Android đọc SMS và điều khiển màn hình, như ứng dụng VNeID, dịch vụ công giả"
        en = "An Android app that reads SMS and drives the screen, as fake VNeID and public service apps do"
    strings:
        $manifest = { 03 00 08 00 }
        $sms1 = "android.permission.RECEIVE_SMS" ascii wide
        $sms2 = "android.permission.READ_SMS" ascii wide
        $drive = "android.permission.BIND_ACCESSIBILITY_SERVICE" ascii wide
        $over = "android.permission.SYSTEM_ALERT_WINDOW" ascii wide
    condition:
        $manifest at 0 and any of ($sms*) and ($drive or $over)
}

rule ARCHIVE_NAME_EXPLOIT : malware
{
    meta:
        vi = "RAR có thư mục trùng tên tài liệu, lỗ hổng CVE-2023-38831"
        en = "An archive with a folder named like a document, as for CVE-2023-38831"
    strings:
        $name = /\.(pdf|docx?|xlsx?|jpe?g|png|txt) \/[^\x00\/]{1,60}\.(cmd|bat|vbs|exe|js)/
    condition:
        uint32be(0) == 0x504B0304 and $name
}
