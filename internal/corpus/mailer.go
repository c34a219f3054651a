package corpus

import (
	"fmt"
	"strings"
)

// mailer is how a mail program writes a letter.
type mailer struct {
	fields   string // the order of the fields
	id       string // the left side of Message-ID, as a pattern of pattern()
	host     string // its right side; "": the sender's domain
	program  string // "Field: value" by which it names itself; "": it does not
	extra    []string
	boundary string
	shape    string // plain, html, both
	transfer string // base64, quoted-printable, 8bit
}

// mailers are the programs by name. What they write is as their letters show it; where a
// program has many versions, one stands for all. It is a table, and long for that alone.
func mailers() map[string]mailer {
	const usual = "From To Cc Reply-To Subject Date Message-ID In-Reply-To References MIME-Version Content-Type Content-Transfer-Encoding"
	return map[string]mailer{
		"outlook": {
			fields: "From To Cc In-Reply-To References Subject Date Message-ID MIME-Version Content-Type Content-Transfer-Encoding Program Extra",
			id:     "X6$X8$X8$X8$@", program: "X-Mailer: Microsoft Outlook 16.0", extra: []string{"Content-Language: vi"},
			boundary: "----=_NextPart_000_X4_X8.X8", shape: "both", transfer: "quoted-printable",
		},
		"express": {
			fields: "Message-ID From To Subject Date MIME-Version Content-Type Content-Transfer-Encoding Extra Program",
			id:     "x12$x8$x8@", program: "X-Mailer: Microsoft Outlook Express 6.00.2900.5931", extra: []string{"X-Priority: 3", "X-MSMail-Priority: Normal", "X-MimeOLE: Produced By Microsoft MimeOLE V6.00.2900.6157"},
			boundary: "----=_NextPart_000_X4_X8.X8", shape: "both", transfer: "quoted-printable",
		},
		"zimbra": {
			fields: "Date From Reply-To To Cc Message-ID In-Reply-To References Subject MIME-Version Content-Type Content-Transfer-Encoding Extra Program",
			id:     "d9.d6.d13.JavaMail.zimbra@", program: "X-Mailer: Zimbra 8.8.15_GA_4562 (ZimbraWebClient - GC119 (Win)/8.8.15_GA_4562)", extra: []string{"Thread-Index: B22=="},
			boundary: "----=_Part_d6_d9.d13", shape: "both", transfer: "quoted-printable",
		},
		"mdaemon": {
			fields: usual + " Program", id: "WorldClient-Fd6.X8@", program: "X-Mailer: MDaemon Webmail 21.5.2",
			boundary: "--=_x8.x16", shape: "both", transfer: "quoted-printable",
		},
		"gmail": {
			fields: "MIME-Version References In-Reply-To From Date Message-ID Subject To Cc Content-Type Content-Transfer-Encoding",
			id:     "CAB8=B24+B10@", host: "mail.gmail.com", boundary: "000000000000x18", shape: "both", transfer: "base64",
		},
		"thunderbird": {
			fields: "Message-ID Date MIME-Version Program Extra Subject To Cc References From In-Reply-To Content-Type Content-Transfer-Encoding",
			id:     "x8-x4-x4-x4-x12@", program: "User-Agent: Mozilla Thunderbird", extra: []string{"Content-Language: vi"},
			boundary: "------------B24", shape: "plain", transfer: "8bit",
		},
		"iphone": {
			fields: "Content-Type Content-Transfer-Encoding From MIME-Version Subject Message-ID In-Reply-To References Date To Program",
			id:     "X8-X4-X4-X4-X12@", program: "X-Mailer: iPhone Mail (21G93)", boundary: "Apple-Mail-X8-X4-X4-X4-X12", shape: "plain", transfer: "base64",
		},
		"mac": {
			fields: "From Content-Type Content-Transfer-Encoding MIME-Version Subject Message-ID Date To In-Reply-To References Program",
			id:     "X8-X4-X4-X4-X12@", program: "X-Mailer: Apple Mail (2.3774.600.62)", boundary: "Apple-Mail=_X8-X4-X4-X4-X12", shape: "both", transfer: "quoted-printable",
		},
		"android": {
			fields: "Date Subject Message-ID In-Reply-To References Extra From To MIME-Version Content-Type Content-Transfer-Encoding",
			id:     "z24.d13@email.android.com", extra: []string{"Importance: normal"}, boundary: "--_com.samsung.android.email_d16", shape: "html", transfer: "base64",
		},
		"yahoo": {
			fields: "Date From Reply-To To Message-ID In-Reply-To References Subject MIME-Version Content-Type Content-Transfer-Encoding Program",
			id:     "d9.d7.d13@", host: "mail.yahoo.com", program: "X-Mailer: WebService/1.1.22205 YMailNorrin", boundary: "----=_Part_d7_d9.d13", shape: "both", transfer: "quoted-printable",
		},
		"roundcube": {
			fields: "MIME-Version Date From To Cc Reply-To Subject In-Reply-To References Program Message-ID Content-Type Content-Transfer-Encoding",
			id:     "x32@", program: "User-Agent: Roundcube Webmail/1.6.5", boundary: "=_x32", shape: "plain", transfer: "8bit",
		},
		"phpmailer": {
			fields: "Date To From Reply-To Subject Message-ID Program MIME-Version Content-Type Content-Transfer-Encoding",
			id:     "B42@", program: "X-Mailer: PHPMailer 6.8.1 (https://github.com/PHPMailer/PHPMailer)", boundary: "b1_B42", shape: "both", transfer: "8bit",
		},
		"script": {
			fields: "Content-Type MIME-Version Content-Transfer-Encoding From To Reply-To Subject Date Message-ID",
			id:     "d12.d4.d19@", boundary: "===============d19==", shape: "html", transfer: "base64",
		},
		"bulk": {
			fields: "Date From Reply-To To Subject Message-ID MIME-Version Content-Type Content-Transfer-Encoding Extra",
			id:     "z20.d8@", extra: []string{"Precedence: bulk", "List-Unsubscribe: <https://tin.ban-tin-mau.example/huy/z16>", "X-Campaign: d6"},
			boundary: "_----------=_MCPartd16", shape: "both", transfer: "quoted-printable",
		},
		"system": {
			fields: "From To Reply-To Subject Date Message-ID MIME-Version Content-Type Content-Transfer-Encoding Extra",
			id:     "d8.d4.d13.JavaMail.app@", extra: []string{"Auto-Submitted: auto-generated"}, boundary: "----=_Part_d4_d8.d13", shape: "html", transfer: "base64",
		},
	}
}

// pattern writes characters for each kind and count: d digits, x and X hexadecimal ones,
// z small letters and digits, B those of base64 that need no escape. Other text stays.
func (r *random) pattern(s string) string {
	kinds := map[byte]string{'d': "0123456789", 'x': "0123456789abcdef", 'X': "0123456789ABCDEF", 'z': "abcdefghijkmnpqrstuvwxyz23456789", 'B': "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"}
	var b strings.Builder
	for i := 0; i < len(s); {
		n, used := 0, 0
		for i+1+used < len(s) && s[i+1+used] >= '0' && s[i+1+used] <= '9' {
			n, used = n*10+int(s[i+1+used]-'0'), used+1
		}
		if used == 0 || kinds[s[i]] == "" || i > 0 && isLetter(s[i-1]) {
			b.WriteByte(s[i])
			i++
			continue
		}
		b.WriteString(r.letters(n, kinds[s[i]]))
		i += 1 + used
	}
	return b.String()
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// messageID ends in the sender's domain unless the program has a host of its own.
func (m mailer) messageID(r *random, domain string) string {
	id := r.pattern(m.id)
	switch {
	case !strings.HasSuffix(id, "@"):
	case m.host != "":
		id += m.host
	default:
		id += domain
	}
	return fmt.Sprintf("<%s>", id)
}
