package smtpd

// The names given to Options.Event.
const (
	evAccepted          = "accepted" // the Handler's reply was positive
	evAcceptFailed      = "accept_failed"
	evAuth              = "auth"
	evAuthFailed        = "auth_failed"
	evBareLineEnding    = "bare_line_ending" // bare CR, bare LF or NUL
	evConnect           = "connect"
	evEarlyTalker       = "early_talker"
	evHandlerPanic      = "handler_panic"
	evHandlerTimeout    = "handler_timeout"
	evHeader            = "bad_header"
	evHTTP              = "http"
	evLimit             = "limit" // a count, line, memory or session limit
	evLoop              = "loop"
	evPanic             = "panic" // ours, outside the Handler
	evProtocolError     = "protocol_error"
	evProxy             = "bad_proxy_header"
	evRefusedConnection = "refused_connection"
	evRefusedMail       = "refused_mail"
	evRefusedMessage    = "refused_message" // the Handler's reply was negative
	evRefusedRcpt       = "refused_rcpt"
	evSize              = "size"
	evSlow              = "slow" // DATA below its rate, or a silence
	evTimeout           = "timeout"
	evTLS               = "tls"
	evTLSFailed         = "tls_handshake_failed"
	evTLSInjection      = "tls_injection"
	evTruncated         = "truncated" // the connection ended inside DATA
	evXCLIENT           = "xclient"
)

// Events returns every name that Options.Event can be called with, so that a
// counter can be shown as 0 before it first counts.
func Events() []string {
	return []string{
		evAccepted, evAcceptFailed, evAuth, evAuthFailed, evBareLineEnding, evConnect, evEarlyTalker, evHandlerPanic, evHandlerTimeout,
		evHeader, evHTTP, evLimit, evLoop, evPanic, evProtocolError, evProxy, evRefusedConnection, evRefusedMail,
		evRefusedMessage, evRefusedRcpt, evSize, evSlow, evTimeout, evTLS, evTLSFailed, evTLSInjection, evTruncated,
		evXCLIENT,
	}
}
