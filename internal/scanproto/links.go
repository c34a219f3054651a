package scanproto

import "fmt"

// Link is where something inside a file leads its reader to: a link of a document, a
// code in a picture. What it means is not the worker's to say.
type Link struct {
	URL  string `json:"url"`            // as it stands there; untrusted
	Text string `json:"text,omitempty"` // what the reader sees in its place, where that is known; untrusted
	How  string `json:"how"`            // in what it stood: "pdf", "rtf", "html" …, QR
	Path string `json:"path,omitempty"` // names of the containers and the file, outermost first; untrusted
	Part string `json:"part"`
}

// QR is the How of a code in a picture, wherever the picture is.
const QR = "qr"

// MaxLinks bounds the links of one answer, MaxLinkText the octets of each word of a link.
const (
	MaxLinks    = 400
	MaxLinkText = 2000
)

func checkLinks(links []Link) error {
	if len(links) > MaxLinks {
		return fmt.Errorf("%w: %d links", ErrTooLarge, len(links))
	}
	for _, l := range links {
		if len(l.URL) > MaxLinkText || len(l.Text) > MaxLinkText || len(l.Path) > MaxLinkText {
			return fmt.Errorf("%w: a link of %d octets", ErrTooLarge, max(len(l.URL), len(l.Text), len(l.Path)))
		}
	}
	return nil
}
