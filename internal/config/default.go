package config

import (
	"net/netip"
	"time"
)

// Default returns the settings of a gateway whose file says nothing. A test holds
// configs/congthu.toml equal to them.
func Default() *Config {
	return &Config{
		Hostname:   "gw.example.gov.vn",
		DataDir:    "/var/lib/congthu",
		RulesDir:   "/etc/congthu/rules",
		Listen:     []Listen{{Address: "127.0.0.1:2525", XCLIENT: []netip.Prefix{}, PROXY: []netip.Prefix{}, TLS: "starttls", Auth: "off"}},
		SMTP:       SMTP{GreetDelay: 0},
		Limits:     defaultLimits(),
		Relay:      Relay{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, TLS: "opportunistic", MTASTS: true, Timeout: seconds(30), Final: seconds(240), RecipientsHour: 500, RecipientsDay: 5000, NewRecipients: 60, SameBody: 40, Refused: 20, RateTimes: 10},
		Route:      []Route{{Domains: []string{"example.gov.vn"}, NextHop: "127.0.0.1:2600"}},
		DNS:        DNS{Servers: []string{}, Timeout: seconds(5)},
		Greylist:   Greylist{From: 3, Below: 6, Delay: Duration(5 * time.Minute)},
		Inspect:    Inspect{Skip: []string{}},
		Scan:       Scan{Timeout: seconds(30)},
		ClamAV:     ClamAV{Timeout: seconds(30), MaxSize: 25 << 20},
		PGP:        PGP{Keys: "keys"},
		Queue:      Queue{Life: Duration(120 * time.Hour), Warn: Duration(4 * time.Hour), Concurrency: 50, PerHop: 16, DeadKeep: Duration(720 * time.Hour), Lease: seconds(60)},
		DKIM:       DKIM{Keys: "dkim"},
		Quarantine: Quar{Keep: Duration(720 * time.Hour), Undo: Duration(24 * time.Hour), Allow: Duration(180 * 24 * time.Hour)},
		Digest:     Digest{Name: "Cổng thư", Entries: 50, Life: Duration(336 * time.Hour), Release: []string{"spam", "authentication", "other"}},
		Notice:     Notice{Sender: true, PerHour: 6},
		Reported:   Reported{Spam: []string{}, Ham: []string{}, PerDay: 20},
		Report:     Report{Receive: []string{}},
		Record:     Record{Keep: Duration(720 * time.Hour), Letters: 1_000_000},
		Learning:   Learning{PerReporter: 50, PerDay: 500, Keep: 20000},
		Rules:      Rules{History: 50, Watch: Duration(time.Hour), FallBack: true, MaxRise: 5, MinLetters: 50, CanaryWatch: Duration(30 * time.Minute)},
		Store:      Store{URL: "sqlite", Key: "data.key"},
		Admin:      Admin{Socket: "admin.sock"},
		Audit:      Audit{Keep: Duration(4320 * time.Hour)},
		Metrics:    Metrics{Address: "127.0.0.1:9464"},
		Log:        Log{Level: "info"},
	}
}

func defaultLimits() Limits {
	return Limits{
		MessageSize: 25 << 20, CommandLine: 2048, BodyLine: 64 << 10, HeaderSize: 256 << 10, HeaderFields: 1000,
		Recipients: 1000, RefusedRecipients: 20, Errors: 10, IdleCommands: 100, Connections: 1000, PerClient: 50,
		Session: Duration(time.Hour), CommandWait: seconds(300), DataGrace: seconds(30), DataRate: 500,
		ReceivedHops: 50, Memory: 1 << 30, DiskReserve: 5,
	}
}

func seconds(n int) Duration { return Duration(time.Duration(n) * time.Second) }
