package letters

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"

	"congthu/internal/mailauth/dkim"
)

// dkimKey is a sample: whoever reads this source has it, too.
func dkimKey() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("the sample key of bo-mau.test"))
	return ed25519.NewKeyFromSeed(seed[:])
}

// DKIMRecord is the TXT record of the sample key, mau._domainkey.bo-mau.test.
func DKIMRecord() string {
	public, _ := dkimKey().Public().(ed25519.PublicKey)
	return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
}

func dkimSigned(raw []byte) ([]byte, error) {
	field, err := dkim.Sign(raw, "bo-mau.test", "mau", dkimKey())
	if err != nil {
		return nil, err
	}
	return append(field, raw...), nil
}

// PGPSigned makes a letter that its author signed (RFC 3156 section 5), with a key
// that is made for it and then forgotten. public is the armoured public key.
func PGPSigned() (raw []byte, public string, err error) {
	e, err := openpgp.NewEntity("Chanh van phong mau", "", "chanh-van-phong@huyen-mau.test", nil)
	if err != nil {
		return nil, "", err
	}
	signed := "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		string(lines64([]byte("Kính gửi Văn thư,\r\n\r\nTôi đồng ý với dự thảo đã gửi.\r\n")))
	var sig bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&sig, e, strings.NewReader(signed), nil); err != nil {
		return nil, "", err
	}
	if public, err = armoured(e); err != nil {
		return nil, "", err
	}
	const boundary = "=_mau-ky"
	head := letter{
		from: "chanh-van-phong@huyen-mau.test", name: "Chánh văn phòng", to: "mat@so-mau.gov.test", id: "da-ky", subject: "Đồng ý dự thảo",
		parts: []part{{header: []string{"Content-Type: multipart/signed; micalg=pgp-sha256;\r\n protocol=\"application/pgp-signature\"; boundary=\"" + boundary + "\""}}},
	}.octets()
	body := "--" + boundary + "\r\n" + signed + "\r\n--" + boundary + "\r\nContent-Type: application/pgp-signature; name=\"signature.asc\"\r\n\r\n" +
		strings.ReplaceAll(sig.String(), "\n", "\r\n") + "\r\n--" + boundary + "--\r\n"
	return append(head, body...), public, nil
}
