// Package config is the settings file congthu.toml: its keys, its defaults and the
// checks that tell an administrator what is wrong and where. Only the commands
// import it; every other package is handed what it needs.
package config

import (
	"cmp"
	"net/netip"
	"path/filepath"
	"time"

	"congthu/internal/tomlfile"
)

// Config is congthu.toml. Its default values are those of configs/congthu.toml,
// which documents every key.
type Config struct {
	Hostname   string   `toml:"hostname"`
	DataDir    string   `toml:"data_dir"`
	RulesDir   string   `toml:"rules_dir"`
	Listen     []Listen `toml:"listen"`
	SMTP       SMTP     `toml:"smtp"`
	Limits     Limits   `toml:"limits"`
	TLS        TLS      `toml:"tls"`
	Relay      Relay    `toml:"relay"`
	Agency     []Agency `toml:"agency"`
	Route      []Route  `toml:"route"`
	DNS        DNS      `toml:"dns"`
	DNSBL      []DNSBL  `toml:"dnsbl"`
	Greylist   Greylist `toml:"greylist"`
	Inspect    Inspect  `toml:"inspect"`
	Scan       Scan     `toml:"scan"`
	ClamAV     ClamAV   `toml:"clamav"`
	PGP        PGP      `toml:"pgp"`
	DKIM       DKIM     `toml:"dkim"`
	Queue      Queue    `toml:"queue"`
	Quarantine Quar     `toml:"quarantine"`
	Digest     Digest   `toml:"digest"`
	Notice     Notice   `toml:"notice"`
	Reported   Reported `toml:"report_address"`
	Report     Report   `toml:"report"`
	Record     Record   `toml:"record"`
	Rules      Rules    `toml:"rules"`
	Learning   Learning `toml:"learning"`
	Store      Store    `toml:"store"`
	Admin      Admin    `toml:"admin"`
	Audit      Audit    `toml:"audit"`
	Metrics    Metrics  `toml:"metrics"`
	Log        Log      `toml:"log"`
}

// Listen is one listener and whom it trusts to speak for others.
type Listen struct {
	Address string         `toml:"address"`
	XCLIENT []netip.Prefix `toml:"xclient"`
	PROXY   []netip.Prefix `toml:"proxy"`
	TLS     string         `toml:"tls"`
	Auth    string         `toml:"auth"`
}

// SMTP is the behaviour of the edge.
type SMTP struct {
	GreetDelay  Duration `toml:"greet_delay"`
	ReceivedSPF bool     `toml:"received_spf"` // write Received-SPF beside Authentication-Results
}

// Limits are the bounds of one session and of all; see smtpd.Limits.
type Limits struct {
	MessageSize       int64    `toml:"message_size"`
	CommandLine       int      `toml:"command_line"`
	BodyLine          int      `toml:"body_line"`
	HeaderSize        int      `toml:"header_size"`
	HeaderFields      int      `toml:"header_fields"`
	Recipients        int      `toml:"recipients"`
	RefusedRecipients int      `toml:"refused_recipients"`
	Errors            int      `toml:"errors"`
	IdleCommands      int      `toml:"idle_commands"`
	Connections       int      `toml:"connections"`
	PerClient         int      `toml:"per_client"`
	Session           Duration `toml:"session"`
	CommandWait       Duration `toml:"command_wait"`
	DataGrace         Duration `toml:"data_grace"`
	DataRate          int      `toml:"data_rate"`
	ReceivedHops      int      `toml:"received_hops"`
	Memory            int64    `toml:"memory"`
	DiskReserve       int      `toml:"disk_reserve"`
}

// TLS names the certificate for STARTTLS; both empty: not offered.
type TLS struct {
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
}

// Relay says who may send outward through the gateway, and how it speaks to next hops.
type Relay struct {
	Networks       []netip.Prefix `toml:"networks"`
	TLS            string         `toml:"tls"`
	Roots          string         `toml:"roots"`
	MTASTS         bool           `toml:"mta_sts"`
	Timeout        Duration       `toml:"timeout"`
	Final          Duration       `toml:"final_timeout"`
	RecipientsHour int            `toml:"recipients_hour"`
	RecipientsDay  int            `toml:"recipients_day"`
	NewRecipients  int            `toml:"new_recipients_hour"`
	SameBody       int            `toml:"same_letter_hour"`
	Refused        int            `toml:"refused_hour"`
	RateTimes      int            `toml:"rate_times"`
}

// Agency is one that may send outward, and by what it is known. Its thresholds for the
// mail it receives are in rules/policy.toml.
type Agency struct {
	Name           string         `toml:"name"`
	Domains        []string       `toml:"domains"`
	Networks       []netip.Prefix `toml:"networks"`
	Certificates   []string       `toml:"certificates"`
	CA             string         `toml:"ca"`
	CANames        []string       `toml:"ca_names"`
	RecipientsHour int            `toml:"recipients_hour"`
	RecipientsDay  int            `toml:"recipients_day"`
	NewRecipients  int            `toml:"new_recipients_hour"`
	SameBody       int            `toml:"same_letter_hour"`
}

// Route sends the mail of some domains to a next hop. TLS "" is that of [relay]. XForward
// is off unless asked for, as it is in Postfix: who our clients are is for our own servers
// to know, and a next hop that believes it must be set up to.
type Route struct {
	Domains          []string `toml:"domains"`
	NextHop          string   `toml:"next_hop"`
	TLS              string   `toml:"tls"`
	XForward         bool     `toml:"xforward"`
	VerifyRecipients bool     `toml:"verify_recipients"`
}

// DNS names the resolvers; none: the system's.
type DNS struct {
	Servers []string `toml:"servers"`
	Timeout Duration `toml:"timeout"`
	TrustAD bool     `toml:"trust_ad"`
}

// Greylist asks doubtful strangers to come again.
type Greylist struct {
	On    bool     `toml:"on"`
	From  float64  `toml:"from"`  // the score from which a letter is doubtful
	Below float64  `toml:"below"` // and below which it is still delivered
	Delay Duration `toml:"delay"`
}

// DNSBL is a list in the DNS that is asked about messages, and what its answers are worth
// in percent of the symbol's weight; no results: every answer is worth all of it.
type DNSBL struct {
	Zone    string         `toml:"zone"`
	Kind    string         `toml:"kind"`
	Results map[string]int `toml:"results"`
}

// Inspect names the inspectors that do not run: what they would have found is then
// not looked for, by the administrator's own decision.
type Inspect struct {
	Skip []string `toml:"skip"`
}

// Inspectors returns the names that Inspect.Skip may hold, in the order of the path.
func Inspectors() []string {
	return []string{"auth", "decrypt", "sender", "header", "adlaw", "link", "content", "classify", "dnsbl", "known", "burst", "attach", "clamav"}
}

// Scan is the scan worker.
type Scan struct {
	Worker  string   `toml:"worker"`
	Workers int      `toml:"workers"`
	Timeout Duration `toml:"timeout"`
	Extra   string   `toml:"yara_extra"` // directory of YARA rules of others; "": none
	Strict  bool     `toml:"strict"`     // refuse to start where a fence around the worker is missing
}

// ClamAV is the clamd that is asked, too; Address "": none.
type ClamAV struct {
	Address string   `toml:"address"`
	Timeout Duration `toml:"timeout"`
	MaxSize int64    `toml:"max_size"`
}

// PGP is the key store.
type PGP struct {
	Keys           string `toml:"keys"`            // directory whose key files are taken into the store
	PassphraseFile string `toml:"passphrase_file"` // of the secret keys; "": see configs/congthu.toml
	WKDProxy       string `toml:"wkd_proxy"`       // "": none
	WKDRoots       string `toml:"wkd_roots"`       // PEM file; "": the system's
}

// DKIM is the directory of the private keys that sign outgoing mail.
type DKIM struct {
	Keys string `toml:"keys"`
}

// Queue is the durable queue.
type Queue struct {
	Life        Duration `toml:"life"`
	Warn        Duration `toml:"warn"` // 0: the sender is not told of a delay
	Concurrency int      `toml:"concurrency"`
	PerHop      int      `toml:"per_hop"`
	DeadKeep    Duration `toml:"dead_keep"`
	Lease       Duration `toml:"lease"`
}

// Quar is the quarantine.
type Quar struct {
	Keep Duration `toml:"keep"`
	Undo Duration `toml:"undo"` // how long a deletion can be taken back
	Room int64    `toml:"room"` // octets of mail; 0: as many as come

	Allow Duration `toml:"allow"` // how long a sender is allowed (release --allow-sender); 0: none can be

	KeepClass KeepClass `toml:"keep_class"`
}

// Digest is the daily list of held letters. At "" sends none.
type Digest struct {
	At      string    `toml:"at"`      // local time, "07:00"
	Address string    `toml:"address"` // of the gateway: it writes digests and notices, and replies come to it; "": postmaster@hostname, and no replies
	Name    string    `toml:"name"`    // of that address
	Entries int       `toml:"entries"` // at most, in one digest
	Life    Duration  `toml:"life"`    // of the codes in it
	Release []string  `toml:"release"` // classes of letters that their recipients may ask for
	Mailbox []Mailbox `toml:"mailbox"`
}

// Mailbox says who is told of the letters of some domains: an address, "recipient" (as for
// domains that no mailbox names) or "none".
type Mailbox struct {
	Domains []string `toml:"domains"`
	To      string   `toml:"to"`
}

// Notice says what people are told at once.
type Notice struct {
	Texts   string `toml:"texts"`    // directory with texts of the administrator's own; "": none
	Held    bool   `toml:"held"`     // a recipient: that a letter is held
	Sender  bool   `toml:"sender"`   // our own sender: that a letter is held, or went without some files
	PerHour int    `toml:"per_hour"` // to one address, at most
}

// Reported is where our own people send letters that were judged wrongly.
type Reported struct {
	Spam   []string `toml:"spam"`
	Ham    []string `toml:"ham"`
	PerDay int      `toml:"per_day"` // of one reporter
}

// KeepClass is how long messages of a class are held; 0: as all.
type KeepClass struct {
	Malware        Duration `toml:"malware"`
	Unscannable    Duration `toml:"unscannable"`
	Type           Duration `toml:"type"`
	Phishing       Duration `toml:"phishing"`
	Spam           Duration `toml:"spam"`
	Encryption     Duration `toml:"encryption"`
	Authentication Duration `toml:"authentication"`
	Other          Duration `toml:"other"`
}

// Record is what is kept of past letters, so that changed rules can be tried on them.
type Record struct {
	Keep    Duration `toml:"keep"`    // 0: nothing is recorded
	Letters int64    `toml:"letters"` // at most
}

// Rules says how rule sets are kept and watched. A rise is in parts of a hundred letters.
type Rules struct {
	History     int      `toml:"history"`      // sets that are kept
	Watch       Duration `toml:"watch"`        // how long a new set is watched; 0: not at all
	FallBack    bool     `toml:"fall_back"`    // to the set before, by itself
	MaxRise     float64  `toml:"max_rise"`     // of held and refused letters: more goes back
	MinLetters  int      `toml:"min_letters"`  // that each side must have judged before
	CanaryWatch Duration `toml:"canary_watch"` // how long a canary runs when nothing is said
}

// Learning bounds what reports may teach the classifier, in lessons.
type Learning struct {
	PerReporter int `toml:"per_reporter"` // that count of one reporter in 24 hours
	PerDay      int `toml:"per_day"`      // that count of all reporters in 24 hours
	Keep        int `toml:"keep"`         // that are remembered; the oldest are forgotten
}

// Report is the aggregate reports of DMARC: those that are sent, and those that come
// for our own domains. From empty: nothing is counted and nothing sent.
type Report struct {
	DMARC   bool     `toml:"dmarc"`
	From    string   `toml:"from"`
	Org     string   `toml:"org"`
	Contact string   `toml:"contact"`
	Receive []string `toml:"receive"`
}

// Store says where durable state lives.
type Store struct {
	URL string `toml:"url"`
	Key string `toml:"key"` // the file with the data key, under data_dir
}

// Admin is where the operator commands reach the gateway: the Unix socket, and TLS for
// those elsewhere who have a token. Listen "": no TLS. Cert and Key "": those of [tls].
type Admin struct {
	Socket string `toml:"socket"`
	Listen string `toml:"listen"`
	Cert   string `toml:"cert"`
	Key    string `toml:"key"`
}

// Audit is the record of who did what.
type Audit struct {
	Keep Duration `toml:"keep"`
}

// Metrics is the Prometheus endpoint; "" switches it off.
type Metrics struct {
	Address string `toml:"address"`
}

// Log is the log on standard error.
type Log struct {
	Level string `toml:"level"`
}

// Duration is a time.Duration written as "30s", "5m", "120h".
type Duration time.Duration

// UnmarshalText reads the Go notation; it never accepts a negative time.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 {
		return errDuration
	}
	*d = Duration(v)
	return nil
}

// Std returns the duration in the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Load reads and checks a configuration file. Keys that it leaves out have their
// defaults; lists that it names replace the default lists. Relative paths are
// relative to the file. The error is tomlfile.Problems.
func Load(name string) (*Config, error) {
	c := Default()
	fresh := *c
	fresh.Listen, fresh.Route = nil, nil // a list in the file replaces the default list
	file, err := tomlfile.Read(name, &fresh)
	if err != nil {
		return nil, err
	}
	if fresh.Listen == nil {
		fresh.Listen = c.Listen
	}
	if fresh.Route == nil {
		fresh.Route = c.Route
	}
	for i := range fresh.Listen { // as the default listener
		fresh.Listen[i].TLS = cmp.Or(fresh.Listen[i].TLS, "starttls")
		fresh.Listen[i].Auth = cmp.Or(fresh.Listen[i].Auth, "off")
	}
	fresh.resolve(filepath.Dir(name))
	return &fresh, check(file, &fresh)
}

// resolve makes paths absolute: those of the file against its directory, and those of
// the gateway's own state against data_dir.
func (c *Config) resolve(base string) {
	abs := func(dir, p string) string {
		if p == "" || filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(dir, p)
	}
	if a, err := filepath.Abs(base); err == nil {
		base = a
	}
	c.DataDir = abs(base, c.DataDir)
	c.RulesDir = abs(base, c.RulesDir)
	c.TLS.Cert = abs(base, c.TLS.Cert)
	c.TLS.Key = abs(base, c.TLS.Key)
	c.Relay.Roots = abs(base, c.Relay.Roots)
	for i := range c.Agency {
		c.Agency[i].CA = abs(base, c.Agency[i].CA)
	}
	c.Scan.Worker = abs(base, c.Scan.Worker)
	c.Scan.Extra = abs(base, c.Scan.Extra)
	c.PGP.Keys = abs(c.DataDir, c.PGP.Keys)
	c.PGP.PassphraseFile = abs(base, c.PGP.PassphraseFile)
	c.PGP.WKDRoots = abs(base, c.PGP.WKDRoots)
	c.DKIM.Keys = abs(c.DataDir, c.DKIM.Keys)
	c.Admin.Socket = abs(c.DataDir, c.Admin.Socket)
	c.Notice.Texts = abs(base, c.Notice.Texts)
	c.Admin.Cert = abs(base, cmp.Or(c.Admin.Cert, c.TLS.Cert))
	c.Admin.Key = abs(base, cmp.Or(c.Admin.Key, c.TLS.Key))
}
