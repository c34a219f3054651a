package smtpd

import (
	"regexp"
	"strings"
	"testing"

	"congthu/internal/msg"
)

var wireReply = regexp.MustCompile(`^(?:([2-5][0-9][0-9])-[ -~]*\r\n)*([2-5][0-9][0-9]) [ -~]*\r\n$`)

func TestAppendReply(t *testing.T) {
	for want, r := range map[string]msg.Reply{
		"250 ok\r\n":                                        {Code: 250, Text: "ok"},
		"250 2.0.0 ok\r\n":                                  {Code: 250, Detail: "0.0", Text: "ok"},
		"550-5.7.1 a\r\n550 5.7.1 b\r\n":                    {Code: 550, Detail: "7.1", Text: "a\r\nb"},
		"550 5.7.1 \r\n":                                    {Code: 550, Detail: "7.1"},
		"550 5.7.1 a?b??\r\n":                               {Code: 550, Detail: "7.1", Text: "a\x00bữ\x1b"},
		"250 " + strings.Repeat("x", 480) + "\r\n":          {Code: 250, Text: strings.Repeat("x", 480)},
		"250-" + strings.Repeat("x", 480) + "\r\n250 x\r\n": {Code: 250, Text: strings.Repeat("x", 481)},
	} {
		if got := string(appendReply(nil, r)); got != want {
			t.Errorf("%v: %q, want %q", r, got, want)
		}
	}
	if n := strings.Count(string(appendReply(nil, msg.Reply{Code: 250, Text: strings.Repeat("x\n", 1000)})), "\n"); n != maxReplyLines {
		t.Errorf("%d lines", n)
	}
}

func TestOurOwnRepliesKeepTheirClass(t *testing.T) {
	for _, r := range []msg.Reply{
		replyTooManyConnections, replyClosing, replyTrouble, replyTimeout, replyTooSlow, replySessionLimit, replyBareEnding,
		replyLineTooLong, replyEarlyTalker, replyLater, replyNoArgument, replyUnknown, replyNotOffered, replyHelloFirst,
		replyTooBig, replyControl, replyBadHelo, replyMailSyntax, replyNested, replyParameter, replyBadValue, replyTwice,
		replyNoMailbox, replyNeedsESMTP, replyMailFirst, replyRcptSyntax, replyNullRecipient, replyTooManyRcpts,
		replyNoSuchMailbox, replyNoMailToAnIP, replyRcptParameters, replyRcptFirst, replyNoRecipients, replyBodyLine,
		replyMemory, replyHeaderSize, replyHeaderFields, replyHeaderSyntax, replyTwoFrom, replyLoop, replyBye,
		replyNotSMTP, replyStartTLS, replyTLSAlready, replyTLSInjection, replyXCLIENTSyntax, replyInMail,
	} {
		if !validDetail(r.Detail) || r.Text == "" || strings.ContainsFunc(r.Text, notPrintable) || len(r.Text) > maxReplyText {
			t.Errorf("%v", r)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add(250, "0.0", "ok")
	f.Add(550, "7.1\r\n250 ", "a\r\n.\r\nb\x00")
	f.Add(0, "", "")
	f.Fuzz(func(t *testing.T, code int, detail, text string) {
		r := final(msg.Reply{Code: code, Detail: detail, Text: text})
		wire := string(appendReply(nil, r))
		if !wireReply.MatchString(wire) {
			t.Fatalf("%q", wire)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(wire, "\r\n"), "\r\n") {
			if len(line) > 510 || line[:3] != wire[:3] || line[4] != line[0] {
				t.Fatalf("line %q of %q", line, wire)
			}
		}
		if wire[0] == '2' && (code < 200 || code > 299) {
			t.Fatalf("%d became %q", code, wire)
		}
	})
}
