package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The lines of a dialogue:
//
//	CONNECT             a new connection (the first is there)
//	S: 250 2.1.5        a reply that begins so; of several lines, any one
//	S~ REGEXP           a reply that matches
//	C: EHLO a.test      a line is said, with CRLF; \r \n \0 \e \\ are escapes
//	C| text             said without CRLF
//	MESSAGE NAME        a message, stuffed, and the final dot
//	RAW NAME            a message's octets and nothing else
//	STARTTLS [mine]     the TLS handshake; mine shows ${DIR}/client.pem, whose fingerprint
//	                    is ${CLIENT} in the config section
//	TLS [mine]          the same on a new connection to ${TLSPORT}, where TLS comes first
//	CLOSED              the server has ended the connection, with no further word
//	FIN                 we end our direction
//	CLOSEDTLS           as CLOSED, after a TLS alert that may still come
//	OTHER 421           the reply that greets one more connection
//	RCPT ADDRESS        RCPT TO and its 250
//	TIMES N LINE        LINE, N times, %d counts from 1
//	LETTER NAME from=A to=B,C [ip=I] [helo=H] => 250
//	                    a whole transaction on a connection of its own; XCLIENT when ip= is given
//	                    a reply ~REGEXP matches
//	POISON NAME …       as LETTER, and the worker that looks at it is killed at its work; one
//	                    must be ready, and the case's rules must take long enough; signal=SEGV
//	CLAMD start         Debian's clamd begins with the signatures in file/*.ndb; CLAMD stop
//	KEYPAIR ADDRESS     an OpenPGP key pair; the public half is in ${DIR}/ADDRESS.asc, the
//	                    secret one in ${DIR}/ADDRESS.sec.asc
//	PEERKEY KIND ADDRESS  the same made by gpg or sq: peerkeys.go
//	REVOKE ADDRESS      its holder revokes the key; ${DIR}/ADDRESS.asc says so
//	SPOIL WHAT ADDRESS  its holder takes the subkey or the name back
//	BADKEY KIND ADDRESS a public key with something wrong with it: badkeys.go
//	PLANT ADDRESS [damaged]  the key of ${DIR}/ADDRESS.asc lies in the store, pinned, whatever it
//	                    is; the gateway is started anew
//	RUN ARGS => N       an operator command and its exit status; ${DIR}, ${TODAY} (in UTC),
//	                    ${HELD}, ${QUEUED}, ${PROPOSED} (the first id) are filled in
//	UNTIL ARGS => REGEXP  a command is run again and again until its output matches
//	OUT~ / OUT! REGEXP  its output matches, does not match
//	EDIT FILE OLD => NEW  a file of the gateway's directory is edited
//	SAVE N NAME         the octets of the N-th delivery become the message NAME and ${DIR}/NAME.eml
//	TAKE N REGEXP => NAME  (N, or the address of the last delivery to it) what REGEXP finds (its first group) in the text of the N-th delivery
//	                    stands for ${NAME} in all messages
//	WRITE FILE TEXT     a file of the gateway's directory, for the gateway's eyes alone
//	SEAL KIND[/LAYOUT] FROM => TO [by ADDRESS] [for ADDRESS]
//	                    a message is encrypted to the key that opens letters; see seal.go
//	CHMOD FILE MODE     a file of the gateway's directory gets that mode
//	WAITLOG REGEXP      until the log has a line that matches
//	WAIT delivered N    until the next hop has N messages
//	SLEEP D             a pause
//	CRASH worker        every scan worker gets SIGSEGV, at work or not
//	HUP                 the gateway gets SIGHUP
//	RESTART             the gateway is killed and started again
//	TERMINAL [80x24] ARGS  an operator command runs in a terminal of so many columns and lines
//	PRESS KEYS          keys are pressed there, each a word: j Enter C-r
//	SCREEN~ REGEXP      until what is drawn there matches; it is what OUT! then looks at
//	DRAWN~ / DRAWN! REGEXP  until what it has written to the terminal, as octets, matches; does not match
//	STOP, START         it ends in good order, and is started again
//	COPY FROM TO, MOVE FROM TO  a file of the gateway's directory
type player struct {
	g    *Gateway
	c    *Case
	conn *client
	out  string    // of the last RUN
	clam *exec.Cmd // nil: not running
	term *terminal

	terms int // that were opened
}

// Play speaks the dialogue. The error names the line.
func (g *Gateway) Play(c *Case) error {
	p := &player{g: g, c: c}
	defer p.hangUp()
	defer func() {
		if p.clam != nil {
			_ = p.stopClamd()
		}
	}()
	defer p.shut()
	for _, line := range c.Dialogue {
		if err := p.step(line); err != nil {
			return fmt.Errorf("%s\n\t%w", line, err)
		}
	}
	return nil
}

func (p *player) hangUp() {
	if p.conn != nil {
		_ = p.conn.conn.Close() // the case is over
	}
}

func (p *player) step(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	if do, ok := p.around()[verb]; ok {
		return do(rest)
	}
	switch verb {
	case "CONNECT":
		p.hangUp()
		p.conn = nil
	case "TIMES":
		return p.times(rest)
	case "TLS":
		p.hangUp()
		p.conn = nil
	}
	if p.conn == nil {
		addr := p.g.Addr
		if verb == "TLS" {
			addr = p.g.tlsPort()
		}
		var err error
		if p.conn, err = dial(addr); err != nil {
			return err
		}
	}
	return p.speak(verb, rest)
}

func (p *player) speak(verb, rest string) error {
	switch verb {
	case "CONNECT":
		return nil
	case "S:":
		return p.expect(func(l string) bool { return strings.HasPrefix(strings.Replace(l, "-", " ", 1), rest) })
	case "S~":
		re, err := regexp.Compile(rest)
		if err != nil {
			return err
		}
		return p.expect(re.MatchString)
	case "C:":
		return p.conn.say([]byte(unescape(rest) + "\r\n"))
	case "C|":
		return p.conn.say([]byte(unescape(rest)))
	case "MESSAGE", "RAW":
		raw, ok := p.c.Messages[rest]
		if !ok {
			return fmt.Errorf("there is no message %q", rest)
		}
		if verb == "MESSAGE" {
			raw = stuffed(raw)
		}
		return p.conn.say(raw)
	case "STARTTLS", "TLS":
		if rest == "mine" {
			return p.conn.startTLS(p.g.client)
		}
		return p.conn.startTLS()
	case "RCPT":
		if err := p.conn.say([]byte("RCPT TO:<" + rest + ">\r\n")); err != nil {
			return err
		}
		return p.expect(func(l string) bool { return strings.HasPrefix(l, "250 2.1.5") })
	case "CLOSEDTLS":
		return p.conn.alertThenClosed()
	case "CLOSED":
		return p.conn.closed()
	case "FIN":
		return p.conn.fin()
	}
	return fmt.Errorf("there is no such line in a dialogue")
}

func (p *player) expect(fits func(string) bool) error {
	got, err := p.conn.reply()
	if err != nil {
		return err
	}
	for _, l := range got {
		if fits(l) {
			return nil
		}
	}
	return fmt.Errorf("the reply is %q", strings.Join(got, " / "))
}

func (p *player) times(rest string) error {
	count, line, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	for i := range n {
		if err := p.step(strings.ReplaceAll(line, "%d", strconv.Itoa(i+1))); err != nil {
			return fmt.Errorf("time %d: %w", i+1, err)
		}
	}
	return nil
}

// around is the words that are none of SMTP.
func (p *player) around() map[string]func(string) error {
	return map[string]func(string) error{
		"RUN": p.run, "UNTIL": p.until, "OUT~": p.says(true), "OUT!": p.says(false),
		"EDIT": p.edit, "CHMOD": p.chmod, "WRITE": p.writeFile, "COPY": p.copyFile, "MOVE": p.moveFile, "SAVE": p.save, "TAKE": p.take,
		"WAIT": p.wait, "WAITLOG": p.g.checkLog, "SLEEP": sleep,
		"LETTER": p.letter, "OTHER": p.other,
		"KEYPAIR": p.keyPair, "PEERKEY": p.peerKey, "REVOKE": p.revoke, "SEAL": p.seal, "SPOIL": p.spoil, "BADKEY": p.badKey,
		"PLANT": func(rest string) error { return p.plant(context.Background(), rest) },
		"CLAMD": p.clamd, "POISON": p.poison, "CRASH": func(string) error { return p.crash() },
		"TERMINAL": p.open, "PRESS": p.press, "SCREEN~": p.screen, "DRAWN~": p.drawn(true), "DRAWN!": p.drawn(false),
		"HUP":     func(string) error { return p.g.process.Process.Signal(syscall.SIGHUP) },
		"STOP":    p.disconnected(p.g.Stop),
		"START":   func(string) error { return p.g.start() },
		"RESTART": p.disconnected(p.g.Restart),
	}
}

// disconnected does something to the gateway after its connection was given up.
func (p *player) disconnected(do func() error) func(string) error {
	return func(string) error {
		p.hangUp()
		p.conn = nil
		return do()
	}
}

// says compares the last output with an expression.
func (p *player) says(want bool) func(string) error {
	return func(rest string) error {
		matched, err := regexp.MatchString(rest, p.out)
		if err == nil && matched != want {
			err = fmt.Errorf("the output is:\n%s", p.out)
		}
		return err
	}
}

func sleep(rest string) error {
	d, err := time.ParseDuration(rest)
	time.Sleep(min(d, patience))
	return err
}

func (p *player) run(rest string) error {
	command, want, ok := strings.Cut(rest, " => ")
	if !ok {
		return fmt.Errorf("RUN ARGS => STATUS")
	}
	args := strings.Fields(p.fill(command))
	out, status, err := p.g.Run(args...)
	p.out = out
	if err == nil && strconv.Itoa(status) != want {
		err = fmt.Errorf("exit status %d, want %s:\n%s", status, want, out)
	}
	return err
}

// until runs a command until its output matches.
func (p *player) until(rest string) error {
	command, want, ok := strings.Cut(rest, " => ")
	re, err := regexp.Compile(want)
	if !ok || err != nil {
		return fmt.Errorf("UNTIL ARGS => REGEXP")
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		p.out, _, err = p.g.Run(strings.Fields(p.fill(command))...)
		if err != nil || re.MatchString(p.out) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the output stays:\n%s", p.out)
		}
	}
}

// fill puts in the id of the first held or queued message for ${HELD} and ${QUEUED}.
func (p *player) fill(s string) string {
	for what, noun := range map[string]string{"${HELD}": "quarantine", "${QUEUED}": "queue"} {
		if !strings.Contains(s, what) {
			continue
		}
		if items, err := p.g.list(noun); err == nil && len(items) > 0 {
			s = strings.ReplaceAll(s, what, items[0].ID)
		}
	}
	if strings.Contains(s, "${PROPOSED}") {
		s = strings.ReplaceAll(s, "${PROPOSED}", p.g.proposed())
	}
	s = strings.ReplaceAll(s, "${TODAY}", time.Now().UTC().Format(time.DateOnly))
	return strings.ReplaceAll(s, "${DIR}", p.g.Dir)
}

// save keeps a delivery, so that it can be sent on or read by a command.
func (p *player) save(rest string) error {
	number, name, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(number)
	got := p.g.Sink.Deliveries()
	if err != nil || n < 1 || n > len(got) || name == "" {
		return fmt.Errorf("SAVE N NAME; there are %d deliveries", len(got))
	}
	p.c.Messages[name] = got[n-1].Data
	return os.WriteFile(filepath.Join(p.g.Dir, name+".eml"), got[n-1].Data, 0o600)
}

func (p *player) wait(rest string) error {
	n, err := strconv.Atoi(strings.TrimPrefix(rest, "delivered "))
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if len(p.g.Sink.Deliveries()) >= n {
			return nil
		}
	}
	return fmt.Errorf("only %d delivered", len(p.g.Sink.Deliveries()))
}

func (p *player) crash() error {
	pids := p.g.workers()
	if len(pids) == 0 {
		return fmt.Errorf("the gateway has no worker")
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGSEGV); err != nil {
			return err
		}
	}
	return nil
}
