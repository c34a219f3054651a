package dns

import "net"

// noName is wrapped by the not-found error when the name itself does not exist,
// so that a consumer may tell NXDOMAIN from an empty answer (RFC 8020; DMARC's
// "np" tag needs it) with errors.As and an interface of its own.
type noName struct{}

func (noName) Error() string  { return "name does not exist" }
func (noName) NXDomain() bool { return true }

func errNoName(name string) *net.DNSError {
	return &net.DNSError{UnwrapErr: noName{}, Err: noName{}.Error(), Name: name, IsNotFound: true}
}

func errNoRecord(name string) *net.DNSError {
	return &net.DNSError{Err: "no such record", Name: name, IsNotFound: true}
}

// errTemporary is "could not look".
func errTemporary(name, server, why string) *net.DNSError {
	return &net.DNSError{Err: why, Name: name, Server: server, IsTemporary: true}
}

func errTimeout(name, server string) *net.DNSError {
	return &net.DNSError{Err: "time-out", Name: name, Server: server, IsTemporary: true, IsTimeout: true}
}
