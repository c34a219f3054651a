package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"congthu/internal/lang"
)

// Client speaks the API: on a Unix socket (Dial), over TLS (Remote), or to a handler in the
// same process (Inside).
type Client struct {
	where string // for the sentence that nobody answers
	base  string // URL without the path
	token string // "" on the socket
	http  *http.Client
}

// askTime is how long a request may take as a whole: longer than the server gives itself.
const askTime = answerTime + 10*time.Second

// Dial returns a client; the connection is made with the first request.
func Dial(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Client{where: socket, base: "http://congthu", http: &http.Client{Timeout: askTime, Transport: &http.Transport{DialContext: dial}}}
}

// Unreachable says that the gateway does not answer.
type Unreachable struct {
	Where string // socket or URL
	Err   error
}

// Error returns the English sentence.
func (u *Unreachable) Error() string { return u.In(lang.EN) }

// Unwrap returns the cause.
func (u *Unreachable) Unwrap() error { return u.Err }

// In says it in that language, with what to do.
func (u *Unreachable) In(l lang.Lang) string {
	if strings.HasPrefix(u.Where, "https://") {
		return unreachable(u).In(l)
	}
	return lang.T("không liên lạc được với cổng thư qua %s (%v); cổng có đang chạy không, bạn có quyền không?",
		"the gateway does not answer on %s (%v); is it running, and may you open the socket?").F(l, u.Where, u.Err)
}

// ask sends a request and decodes the answer. The pattern is that of the route, params
// fill it. Errors are *Unreachable, tomlfile.Problems or *Problem.
func ask[T any](ctx context.Context, c *Client, method, pattern string, params, body any) (out T, err error) {
	resp, err := c.send(ctx, method, pattern, params, body)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out, &Unreachable{c.where, fmt.Errorf("the answer is cut off or no JSON: %w", err)}
	}
	return out, nil
}

// send sends a request; the answer is one of status 200.
func (c *Client) send(ctx context.Context, method, pattern string, params, body any) (*http.Response, error) {
	octets, kind, err := encode(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+target(pattern, params), octets)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, &Unreachable{c.where, err}
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, c.problem(resp)
	}
	return resp, nil
}

func encode(body any) (io.Reader, string, error) {
	switch b := body.(type) {
	case none:
		return http.NoBody, "", nil
	case Raw:
		return bytes.NewReader(b), "message/rfc822", nil
	}
	octets, err := json.Marshal(body)
	return bytes.NewReader(octets), "application/json", err
}

// count is a request whose answer is a number.
func (c *Client) count(ctx context.Context, method, pattern string, params, body any) (int, error) {
	out, err := ask[Count](ctx, c, method, pattern, params, body)
	return out.Count, err
}

func (c *Client) problem(resp *http.Response) error {
	var p withProblems
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&p); err != nil || p.What == (lang.Text{}) {
		return &Unreachable{c.where, fmt.Errorf("status %d, and no reason", resp.StatusCode)}
	}
	if len(p.Problems) > 0 {
		return p.Problems
	}
	p.Status = resp.StatusCode
	return &p.Problem
}

// Inside returns a client of a handler in the same process, under the name of a user of
// this machine: for what is done in the data directory when no gateway runs there.
func Inside(h http.Handler, user string) *Client {
	return &Client{where: "data_dir", base: "http://congthu", http: &http.Client{Transport: inside{h, user}}}
}

type inside struct {
	handler http.Handler
	user    string
}

// RoundTrip implements http.RoundTripper.
func (i inside) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &answer{header: http.Header{}, status: http.StatusOK}
	i.handler.ServeHTTP(w, r.WithContext(WithCaller(r.Context(), Local(i.user))))
	return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}

// answer takes what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
