// Trang HTML đính kèm / attached web pages.

rule HTML_SMUGGLING : malware
{
    meta:
        vi = "Trang HTML tự tạo tệp trên máy người mở"
        en = "A web page that makes a file on its reader's machine"
    strings:
        $page = /<(html|script|svg|body)\b/ nocase
        $blob1 = "new Blob(" nocase
        $blob2 = "msSaveOrOpenBlob" nocase
        $down1 = ".download" nocase
        $down2 = "createObjectURL" nocase
        $data1 = "atob(" nocase
        $data2 = "fromCharCode" nocase
        $data3 = "Uint8Array" nocase
        $click = ".click()" nocase
    condition:
        $page and any of ($blob*) and any of ($down*) and any of ($data*) and ($click or $blob2)
}

rule HTML_PASSWORD_FORM : suspicious
{
    meta:
        vi = "Trang HTML hỏi mật khẩu rồi gửi ra ngoài"
        en = "A web page that asks for a password and sends it away"
    strings:
        $form = /<form[^>]{1,300}action\s{0,5}=\s{0,5}["']?https?:\/\//  nocase
        $password = /type\s{0,5}=\s{0,5}["']?password/ nocase
    condition:
        all of them
}

rule HTML_HIDDEN_WRITE : suspicious
{
    meta:
        vi = "Trang HTML giấu nội dung trong mã lệnh"
        en = "A web page that hides its content in a script"
    strings:
        $a = /document\.write\s{0,5}\(\s{0,5}(unescape|atob|decodeURIComponent)\s{0,5}\(/ nocase
        $b = /eval\s{0,5}\(\s{0,5}(unescape|atob|String\.fromCharCode)\s{0,5}\(/ nocase
    condition:
        any of them
}

rule SVG_SCRIPT : suspicious
{
    meta:
        vi = "Ảnh SVG có mã lệnh"
        en = "An SVG drawing with a script"
    strings:
        $svg = "<svg" nocase
        $script1 = "<script" nocase
        $script2 = /\bon(load|click|begin)\s{0,5}=/ nocase
        $script3 = "javascript:" nocase
    condition:
        $svg in (0..4096) and any of ($script*)
}
