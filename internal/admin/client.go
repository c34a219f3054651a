package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"congthu/internal/lang"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/tomlfile"
)

// Client speaks the API on a Unix socket.
type Client struct {
	socket string
	http   *http.Client
}

// Dial returns a client; the connection is made with the first request.
func Dial(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Client{socket: socket, http: &http.Client{Timeout: 70 * time.Second, Transport: &http.Transport{DialContext: dial}}}
}

// Unreachable says that the gateway does not answer on its socket.
type Unreachable struct {
	Socket string
	Err    error
}

// Error returns the English sentence.
func (u *Unreachable) Error() string { return u.In(lang.EN) }

// Unwrap returns the cause.
func (u *Unreachable) Unwrap() error { return u.Err }

// In says it in that language, with what to do.
func (u *Unreachable) In(l lang.Lang) string {
	return lang.T("không liên lạc được với cổng thư qua %s (%v); cổng có đang chạy không, bạn có quyền không?",
		"the gateway does not answer on %s (%v); is it running, and may you open the socket?").F(l, u.Socket, u.Err)
}

// ask sends a request and decodes the answer. Errors are *Unreachable,
// tomlfile.Problems or *Problem.
func ask[T any](ctx context.Context, c *Client, method, path string, in io.Reader) (out T, err error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://congthu"+path, in)
	if err != nil {
		return out, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return out, &Unreachable{c.socket, err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return out, problem(resp)
	}
	err = json.NewDecoder(resp.Body).Decode(&out)
	return out, err
}

func problem(resp *http.Response) error {
	var p struct {
		Problem
		Problems tomlfile.Problems `json:"problems"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&p); err != nil {
		return fmt.Errorf("admin: status %d and no reason: %w", resp.StatusCode, err)
	}
	if len(p.Problems) > 0 {
		return p.Problems
	}
	return &p.Problem
}

// Quarantine lists held messages.
func (c *Client) Quarantine(ctx context.Context, f quarantine.Filter) ([]quarantine.Item, error) {
	q := url.Values{}
	if f.Text != "" {
		q.Set("text", f.Text)
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	if f.Offset > 0 {
		q.Set("offset", strconv.Itoa(f.Offset))
	}
	if !f.Since.IsZero() {
		q.Set("since", f.Since.Format(time.RFC3339))
	}
	return ask[[]quarantine.Item](ctx, c, "GET", "/v1/quarantine?"+q.Encode(), nil)
}

// Held shows one held message with its octets.
func (c *Client) Held(ctx context.Context, id string) (Held, error) {
	return ask[Held](ctx, c, "GET", "/v1/quarantine/"+url.PathEscape(id), nil)
}

// Release releases a held message to some of its recipients, or to all, and returns
// to whom.
func (c *Client) Release(ctx context.Context, id string, r Release) (Released, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return Released{}, err
	}
	return ask[Released](ctx, c, "POST", "/v1/quarantine/"+url.PathEscape(id)+"/release", bytes.NewReader(body))
}

// Delete deletes a held message.
func (c *Client) Delete(ctx context.Context, id, actor string) error {
	_, err := ask[Count](ctx, c, "DELETE", "/v1/quarantine/"+url.PathEscape(id)+"?actor="+url.QueryEscape(actor), nil)
	return err
}

// Queue lists what waits for delivery.
func (c *Client) Queue(ctx context.Context, f queue.Filter) ([]queue.Entry, error) {
	q := url.Values{"limit": {strconv.Itoa(f.Limit)}}
	for name, v := range map[string]string{"hop": f.Hop, "from": f.From, "to": f.To, "state": f.State} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return ask[[]queue.Entry](ctx, c, "GET", "/v1/queue?"+q.Encode(), nil)
}

// Queued shows one message that waits for delivery.
func (c *Client) Queued(ctx context.Context, id string) (queue.Detail, error) {
	return ask[queue.Detail](ctx, c, "GET", "/v1/queue/"+url.PathEscape(id), nil)
}

// Hold keeps entries from being tried; id may be "all".
func (c *Client) Hold(ctx context.Context, id string) (int, error) {
	return c.queueAct(ctx, id, "hold")
}

// Unhold lets held entries wait again for their time; id may be "all".
func (c *Client) Unhold(ctx context.Context, id string) (int, error) {
	return c.queueAct(ctx, id, "release")
}

// Retry makes entries due now; id may be "all".
func (c *Client) Retry(ctx context.Context, id string) (int, error) {
	return c.queueAct(ctx, id, "retry")
}

func (c *Client) queueAct(ctx context.Context, id, act string) (int, error) {
	out, err := ask[Count](ctx, c, "POST", "/v1/queue/"+url.PathEscape(id)+"/"+act, nil)
	return out.Count, err
}

// Drop removes entries without delivery and without a notice.
func (c *Client) Drop(ctx context.Context, id string) (int, error) {
	out, err := ask[Count](ctx, c, "DELETE", "/v1/queue/"+url.PathEscape(id), nil)
	return out.Count, err
}

// Health asks how the gateway is.
func (c *Client) Health(ctx context.Context) (Health, error) {
	return ask[Health](ctx, c, "GET", "/v1/health", nil)
}
