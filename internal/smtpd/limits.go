package smtpd

import "time"

// Limits bounds everything a client can make us spend. A zero field means the
// default.
type Limits struct {
	MessageSize       int64         // octets of a message after dot-unstuffing; exactly so many are accepted
	CommandLine       int           // octets of a command line with its CRLF
	BodyLine          int           // octets of a line of a message without its CRLF
	HeaderSize        int           // octets of the top-level header
	HeaderFields      int           // fields of the top-level header
	Recipients        int           // accepted recipients of one message
	RefusedRecipients int           // refused RCPT commands of one session
	Errors            int           // protocol errors of one session
	IdleCommands      int           // commands that bring no mail nearer, between two messages
	Connections       int           // open connections in all
	PerClient         int           // open connections from one IPv4 address or IPv6 /64
	Session           time.Duration // length of one session
	CommandWait       time.Duration // for one whole command line, for one silence in DATA, for one write
	DataGrace         time.Duration // time in DATA before DataRate is asked for
	DataRate          int           // octets a second that DATA must bring on average
	ReceivedHops      int           // Received fields before we call it a loop
	Memory            int64         // octets of all messages being received or handled
}

// DefaultLimits returns the limits that the shipped configuration states.
func DefaultLimits() Limits {
	return Limits{
		MessageSize:       25 << 20,
		CommandLine:       2048,
		BodyLine:          64 << 10,
		HeaderSize:        256 << 10,
		HeaderFields:      1000,
		Recipients:        1000,
		RefusedRecipients: 20,
		Errors:            10,
		IdleCommands:      100,
		Connections:       1000,
		PerClient:         50,
		Session:           time.Hour,
		CommandWait:       5 * time.Minute,
		DataGrace:         30 * time.Second,
		DataRate:          500,
		ReceivedHops:      50,
		Memory:            512 << 20,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	orDefault(&l.MessageSize, d.MessageSize)
	orDefault(&l.CommandLine, d.CommandLine)
	orDefault(&l.BodyLine, d.BodyLine)
	orDefault(&l.HeaderSize, d.HeaderSize)
	orDefault(&l.HeaderFields, d.HeaderFields)
	orDefault(&l.Recipients, d.Recipients)
	orDefault(&l.RefusedRecipients, d.RefusedRecipients)
	orDefault(&l.Errors, d.Errors)
	orDefault(&l.IdleCommands, d.IdleCommands)
	orDefault(&l.Connections, d.Connections)
	orDefault(&l.PerClient, d.PerClient)
	orDefault(&l.Session, d.Session)
	orDefault(&l.CommandWait, d.CommandWait)
	orDefault(&l.DataGrace, d.DataGrace)
	orDefault(&l.DataRate, d.DataRate)
	orDefault(&l.ReceivedHops, d.ReceivedHops)
	orDefault(&l.Memory, d.Memory)
	return l
}

// orDefault also replaces negative values: none of the limits has an "off".
func orDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// smallBuffer is what a session holds while it waits for commands: a thousand
// idle connections cost 16 MiB.
func smallBuffer(l Limits) int { return max(16<<10, l.CommandLine+2, proxyMax) }

// largeBuffer is what a session holds during DATA. The longest legal line must fit
// beside a full read, or an unfinished line could never be told from a too long one.
func largeBuffer(l Limits) int { return l.BodyLine + 2 + 64<<10 }

// blockSize is a block of a message in the making: all that one read can bring fits.
func blockSize(l Limits) int { return largeBuffer(l) }

// drainLimit is how many octets of a DATA are read in all before the connection of
// a sender that does not stop is closed: a refused message of ordinary size is read
// to its end, so that the sender reads the refusal instead of a broken pipe. A third
// more is what dot-stuffing can add to a message that is not too big.
func drainLimit(l Limits) int64 { return l.MessageSize + l.MessageSize/3 + 1<<20 }
