package strip

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/radix64"
)

// Notice is what stands in the place of a file.
type Notice struct {
	ID    string    // of the letter, to ask for the original by
	Name  string    // of the file; untrusted
	Size  int64     // octets
	Types []string  // for which it went
	Until time.Time // how long the original is kept
}

// Text is the notice in Vietnamese and in English. It holds no link, and nothing of a
// stranger's but the name, made safe.
func (n Notice) Text() string {
	name, types := lang.Safe(n.Name, 120), strings.Join(n.Types, ", ")
	until := n.Until.In(time.FixedZone("GMT+7", 7*3600)).Format("02/01/2006")
	size := fmt.Sprintf("%d KB", (n.Size+1023)/1024)
	return fmt.Sprintf("[Cổng thư công vụ] Đã gỡ tệp đính kèm – mã %s\r\n\r\n"+
		"Tệp \"%s\" (%s, %s) đã được gỡ vì đơn vị không nhận loại tệp này. Nội dung thư còn lại không bị thay đổi. "+
		"Bản gốc được cách ly đến hết ngày %s. Đề nghị Ông/Bà yêu cầu nơi gửi gửi lại ở định dạng PDF, DOCX hoặc ODT; "+
		"không mở tệp cùng tên nhận qua kênh khác.\r\n\r\n"+
		"[Mail gateway] An attachment was removed – code %s\r\n\r\n"+
		"The file \"%s\" (%s, %s) was removed because this type of file is not accepted here. The rest of the letter is unchanged. "+
		"The original is kept until %s. Please ask the sender for a PDF, DOCX or ODT file; "+
		"do not open a file of the same name from elsewhere.\r\n",
		n.ID, name, types, size, until, n.ID, name, types, size, until)
}

// part is a body part with that text. In base64 no line of it can be a delimiter, and it
// passes servers that know no 8BITMIME.
func part(text string) []byte {
	out := []byte("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: inline\r\n\r\n")
	out = radix64.AppendLines(out, []byte(text), radix64.MIME, "\r\n")
	return bytes.TrimSuffix(out, []byte("\r\n"))
}
