package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"congthu/internal/config"
	"congthu/internal/lang"
	"congthu/internal/tomlfile"
)

// The shipped file is the documentation of the defaults, so it must say them all.
func TestShippedFileEqualsDefaults(t *testing.T) {
	var got config.Config
	if _, err := tomlfile.Read("../../configs/congthu.toml", &got); err != nil {
		t.Fatal(err)
	}
	if want := *config.Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("configs/congthu.toml differs from the defaults:\nfile:     %+v\ndefaults: %+v", got, want)
	}
	if _, err := config.Load("../../configs/congthu.toml"); err != nil {
		t.Errorf("the shipped file has mistakes: %v", err)
	}
}

func load(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "congthu.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(name)
}

func TestLoadResolvesPaths(t *testing.T) {
	c, err := load(t, "data_dir = \"state\"\nrules_dir=\"/r\"\n[admin]\nsocket=\"a.sock\"\n[scan]\nworker=\"w\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(c.DataDir) || filepath.Base(c.DataDir) != "state" || c.RulesDir != "/r" {
		t.Errorf("data_dir %q rules_dir %q", c.DataDir, c.RulesDir)
	}
	if c.Admin.Socket != filepath.Join(c.DataDir, "a.sock") || c.PGP.Keys != filepath.Join(c.DataDir, "keys") {
		t.Errorf("socket %q keys %q", c.Admin.Socket, c.PGP.Keys)
	}
	if filepath.Dir(c.Scan.Worker) != filepath.Dir(c.DataDir) {
		t.Errorf("worker %q", c.Scan.Worker)
	}
}

func TestLoadReplacesLists(t *testing.T) {
	c, err := load(t, "[[listen]]\naddress=\"[::1]:25\"\nxclient=[\"10.0.0.0/8\"]\n[[route]]\ndomains=[\"a.test\",\"*.b.test\"]\nnext_hop=\"mx\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Listen) != 1 || c.Listen[0].Address != "[::1]:25" || len(c.Listen[0].XCLIENT) != 1 {
		t.Errorf("listen %+v", c.Listen)
	}
	if len(c.Route) != 1 || c.Route[0].NextHop != "mx" {
		t.Errorf("route %+v", c.Route)
	}
	if c.Listen[0].TLS != "starttls" || c.Listen[0].Auth != "off" {
		t.Errorf("listen %+v", c.Listen)
	}
	if c.Limits.MessageSize != 25<<20 || len(c.Relay.Networks) != 1 {
		t.Errorf("defaults lost: %+v %+v", c.Limits, c.Relay)
	}
}

func TestLoadComplains(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "hostnam = \"a.b\"\n", ":1:1: there is no key called 'hostnam'"},
		{"hostname", "hostname = \"localhost\"\n", ":1:1: hostname 'localhost' is not a fully"},
		{"listen address", "\n[[listen]]\naddress = \"2525\"\n", ":3:1: '2525' is not host:port"},
		{"listen twice", "[[listen]]\naddress = \"a:1\"\n[[listen]]\naddress = \"a:1\"\n", ":4:1: the address a:1 is used twice"},
		{"network", "[relay]\nnetworks = [\"127.0.0.300/8\"]\n", ":2:13: "},
		{"next hop", "[[route]]\ndomains = [\"a.test\"]\nnext_hop = \"nowhere\"\n", ":3:1: 'nowhere' is not host:port"},
		{"domain", "[[route]]\ndomains = [\"a b\"]\nnext_hop = \"mx\"\n", ":2:12: 'a b' is not a domain name"},
		{"domain twice", "[[route]]\ndomains = [\"a.test\", \"A.test\"]\nnext_hop = \"mx\"\n", ":2:22: the domain 'A.test' is in two routes"},
		{"duration", "[limits]\nsession = \"1 hour\"\n", ":2:11: "},
		{"limit zero", "[limits]\nrecipients = 0\n", ":2:1: the limit recipients must be above 0"},
		{"queue life", "[queue]\nlife = \"0s\"\n", ":2:1: queue.life must be above 0"},
		{"queue warn", "[queue]\nlife = \"4h\"\nwarn = \"5h\"\n", ":3:1: warn is not below life"},
		{"queue per hop", "[queue]\nper_hop = 0\n", ":2:1: queue.per_hop must be above 0"},
		{"memory", "[limits]\nmemory = 5\n", ":2:1: memory is below twice message_size"},
		{"cert alone", "[tls]\ncert = \"x\"\n", ":1:2: cert and key come together"},
		{"relay tls", "[relay]\ntls = \"maybe\"\n", ":2:1: the value 'maybe' is not possible"},
		{"relay times", "[relay]\nfinal_timeout = \"10m\"\n", ":1:2: timeout and final_timeout must be above 0"},
		{"route tls", "[[route]]\ndomains = [\"a.test\"]\nnext_hop = \"mx\"\ntls = \"yes\"\n", ":4:1: the value 'yes' is not possible"},
		{"asking strangers", "[[route]]\ndomains = [\"a.test\"]\nnext_hop = \"mx\"\nverify_recipients = true\n", ":4:1: recipients are not asked about"},
		{"skip", "[inspect]\nskip = [\"auth\", \"antivirus\"]\n", ":2:17: the value 'antivirus' is not possible; choose one of: auth, decrypt, sender, header"},
		{"list zone", "[[dnsbl]]\nzone = \"a b\"\nkind = \"ip\"\n", ":2:1: zone 'a b' is not the domain of a list"},
		{"list kind", "[[dnsbl]]\nzone = \"bl.test\"\nkind = \"ips\"\n", ":3:1: the value 'ips' is not possible; choose one of: ip"},
		{"list answer", "[[dnsbl]]\nzone = \"bl.test\"\nkind = \"ip\"\nresults = {\"128.0.0.1\" = 1}\n", "'128.0.0.1' is not an answer of a list"},
		{"list percent", "[[dnsbl]]\nzone = \"bl.test\"\nkind = \"ip\"\nresults = {\"&8\" = 101}\n", "percents are from 0 to 100"},
		{"greylist delay", "[greylist]\non = true\ndelay = \"1s\"\n", ":3:1: greylist.delay must be from 10s to 12h"},
		{"greylist bounds", "[greylist]\non = true\nfrom = 6.0\n", ":3:1: greylist.from must be below"},
		{"listen tls", "[[listen]]\naddress = \"a:1\"\ntls = \"maybe\"\n", ":3:1: the value 'maybe' is not possible"},
		{"listen auth", "[[listen]]\naddress = \"a:1\"\nauth = \"maybe\"\n", ":3:1: the value 'maybe' is not possible"},
		{"auth without a certificate", "[[listen]]\naddress = \"a:1\"\nauth = \"on\"\n", ":1:3: this listener needs TLS"},
		{"agency name", "[[agency]]\nname = \"Sở Y tế\"\ndomains = [\"a.vn\"]\n", ":2:1: the agency's name 'Sở Y tế' is not possible"},
		{"agency twice", "[[agency]]\nname = \"a\"\ndomains = [\"a.vn\"]\n[[agency]]\nname = \"a\"\ndomains = [\"b.vn\"]\n", ":5:1: two agencies are called 'a'"},
		{"agency domains", "[[agency]]\nname = \"a\"\n", ":1:3: the agency has no domains"},
		{"agency star", "[[agency]]\nname = \"a\"\ndomains = [\"*\"]\n", ":3:12: '*' is not a domain name"},
		{"agency capital", "[[agency]]\nname = \"a\"\ndomains = [\"A.vn\"]\n", ":3:12: 'A.vn' is not a domain name"},
		{"agency network", "[[agency]]\nname = \"a\"\ndomains = [\"a.vn\"]\nnetworks = [\"10.0.0.0/8\", \"10.1.0.0/8\"]\n", ":4:27: the network 10.1.0.0/8 is in two places"},
		{"agency certificate", "[[agency]]\nname = \"a\"\ndomains = [\"a.vn\"]\ncertificates = [\"12:34\"]\n", ":4:17: '12:34' is not a SHA-256 fingerprint"},
		{"agency ca", "[[agency]]\nname = \"a\"\ndomains = [\"a.vn\"]\nca = \"x.pem\"\n", ":1:3: ca and ca_names come together"},
		{"reports without a sender", "[report]\ndmarc = true\n", ":2:1: DMARC reports are sent but from is empty"},
		{"report sender", "[report]\nfrom = \"me\"\n", ":2:1: 'me' is not a mail address"},
		{"report address", "[report]\nreceive = [\"a@b.test\", \"a b@c.test\"]\n", ":2:24: 'a b@c.test' is not a mail address"},
		{"type", "[limits]\nrecipients = \"many\"\n", ":2:14: the value of 'limits.recipients' has the wrong type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.text)
			var ps tomlfile.Problems
			if !errors.As(err, &ps) {
				t.Fatalf("want Problems, got %v", err)
			}
			if got := ps.In(lang.EN); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q in it", got, c.want)
			}
		})
	}
}
