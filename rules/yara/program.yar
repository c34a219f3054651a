// Chương trình và gói cài đặt / programs and packages.

// Mô-đun pe tốn khoảng 0,2 ms mỗi lần quét, kể cả khi tệp không phải chương trình; ở đây không cần nó.
// The pe module costs about 0.2 ms a scan even when the file is no program; it is not needed here.
import "math"

rule PE_PACKED : suspicious
{
    meta:
        vi = "Chương trình đã bị nén để che nội dung"
        en = "A program packed so that its content is hidden"
    strings:
        $upx = "UPX0"
        $aspack = ".aspack"
        $mpress = ".MPRESS1"
        $vmp = ".vmp0"
        $themida = ".themida"
    condition:
        uint16(0) == 0x5A4D and uint32(uint32(0x3C)) == 0x00004550 and filesize < 20MB and
        (for any of them : ($ in (0..4096)) or (filesize > 8KB and math.entropy(1024, filesize - 1024) > 7.4))
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
