package e2e_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// mainCF is a relay for one domain to one next hop. Everything that is not about where
// things are has Postfix's default, but for the number of connections from one address:
// here all of them come from one.
const mainCF = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = gw.congthu.test
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
relay_domains = gov.test
relayhost = [%[2]s]:%[3]s
smtpd_client_connection_count_limit = 0
`

// masterCF names the services that a relay uses.
const masterCF = `127.0.0.1:%s inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// startPostfix runs a private Postfix that relays to hop.
func startPostfix(b *testing.B, hop string) server {
	b.Helper()
	if _, err := os.Stat("/usr/sbin/postfix"); err != nil || os.Getuid() != 0 {
		b.Skip("a Postfix to compare with needs Debian's postfix package and root")
	}
	dir := publicDir(b)
	addr := free(b)
	_, port, _ := net.SplitHostPort(addr)
	hopHost, hopPort, _ := net.SplitHostPort(hop)
	etc := filepath.Join(dir, "etc")
	for _, d := range []string{etc, filepath.Join(dir, "queue"), filepath.Join(dir, "data")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			b.Fatal(err)
		}
	}
	command(b, "chown", "postfix", filepath.Join(dir, "data"))
	for name, text := range map[string]string{"main.cf": fmt.Sprintf(mainCF, dir, hopHost, hopPort), "master.cf": fmt.Sprintf(masterCF, port)} {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	command(b, "/usr/sbin/postfix", "-c", etc, "start")
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			command(b, "/usr/sbin/postfix", "-c", etc, "stop")
		}
	}
	b.Cleanup(stop)
	for range 100 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			return server{addr, stop}
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.Fatal("Postfix does not answer within 10 s")
	return server{}
}

func command(b *testing.B, name string, args ...string) {
	b.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", name, err, out)
	}
}
