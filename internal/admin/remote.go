package admin

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"congthu/internal/lang"
)

// Remote returns a client of the gateway at a URL such as https://gw.tinh.gov.vn:8443, for
// the holder of a token. roots nil are those of the system. Errors are *lang.Problem.
//
// Neither a proxy of the environment nor a redirection is followed: a token goes to the
// gateway that was named, and to nobody who says that he is on the way to it.
func Remote(server, token string, roots *x509.CertPool) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, &lang.Problem{What: lang.T("địa chỉ máy chủ phải có dạng https://tên:cổng", "the server is written like https://name:port")}
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout: 15 * time.Second,
		Proxy:               nil,
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	base := "https://" + u.Host
	return &Client{where: base, base: base, token: token, http: &http.Client{Timeout: askTime, Transport: transport, CheckRedirect: refuse}}, nil
}

// unreachable says why nobody answers over the network, and what to do.
func unreachable(u *Unreachable) lang.Text {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var dns *net.DNSError
	var notTLS tls.RecordHeaderError
	var text lang.Text
	switch {
	case errors.As(u.Err, &unknown):
		text = lang.T("chứng thư của %s không do CA mà máy này tin ký; dùng --ca TỆP nếu tỉnh có CA riêng", "the certificate of %s is not signed by an authority that this machine trusts; give --ca FILE if the province has its own")
	case errors.As(u.Err, &name):
		text = lang.T("chứng thư của %s là của tên khác", "the certificate of %s is for another name")
	case errors.As(u.Err, &invalid) && invalid.Reason == x509.Expired:
		text = lang.T("chứng thư của %s đã hết hạn hoặc chưa có hiệu lực; đồng hồ máy này có đúng không?", "the certificate of %s has expired or is not valid yet; is the clock of this machine right?")
	case errors.As(u.Err, &invalid):
		text = lang.T("chứng thư của %s không hợp lệ", "the certificate of %s is not valid")
	case errors.As(u.Err, &notTLS), errors.Is(u.Err, http.ErrSchemeMismatch):
		text = lang.T("%s không nói TLS; có đúng cổng không?", "%s does not speak TLS; is it the right port?")
	case errors.As(u.Err, &dns):
		text = lang.T("không tìm thấy máy chủ %s", "the server %s is not found")
	default:
		text = lang.T("không liên lạc được với cổng thư ở %s", "the gateway does not answer at %s")
	}
	cause := " (" + lang.Safe(cause(u.Err), 300) + ")"
	return lang.T(fmt.Sprintf(text.VI, u.Where), fmt.Sprintf(text.EN, u.Where)).Plus(cause)
}

// cause is an error without the request that it befell.
func cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}
