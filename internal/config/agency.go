package config

import (
	"regexp"
	"strings"

	"congthu/internal/lang"
)

var (
	agencyName  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)
	fingerprint = regexp.MustCompile(`^([Ss][Hh][Aa]256:)?[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$`)
)

// agencies checks what could make one agency look like another, or like nobody.
func (k *checker) agencies(as []Agency) {
	names, networks, prints := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, a := range as {
		if !agencyName.MatchString(a.Name) {
			k.complain(lang.T("tên cơ quan '"+a.Name+"' không dùng được", "the agency's name '"+a.Name+"' is not possible"), lang.T("viết thường không dấu, như so-y-te", "write lower case and hyphens, such as so-y-te"), "agency", i, "name")
		}
		k.once(names, a.Name, lang.T("hai cơ quan cùng tên '"+a.Name+"'", "two agencies are called '"+a.Name+"'"), "agency", i, "name")
		k.senders(a.Domains, i)
		for j, p := range a.Networks {
			k.once(networks, p.Masked().String(), lang.T("mạng "+p.String()+" có ở hai chỗ", "the network "+p.String()+" is in two places"), "agency", i, "networks", j)
		}
		for j, c := range a.Certificates {
			if !fingerprint.MatchString(c) {
				k.complain(lang.T("'"+c+"' không phải vân tay SHA-256", "'"+c+"' is not a SHA-256 fingerprint"), lang.T("lấy bằng: openssl x509 -noout -fingerprint -sha256 -in TỆP", "take it from: openssl x509 -noout -fingerprint -sha256 -in FILE"), "agency", i, "certificates", j)
			}
			k.once(prints, strings.TrimPrefix(strings.ToLower(strings.ReplaceAll(c, ":", "")), "sha256"), lang.T("vân tay có ở hai chỗ", "the fingerprint is in two places"), "agency", i, "certificates", j)
		}
		if (a.CA == "") != (len(a.CANames) == 0) {
			k.complain(lang.T("ca và ca_names phải có cả hai", "ca and ca_names come together"), lang.T("thêm dòng còn thiếu, hoặc xoá cả hai", "add the missing one, or delete both"), "agency", i)
		}
	}
}

// senders checks the domains of an agency. They are compared as they stand.
func (k *checker) senders(domains []string, i int) {
	if len(domains) == 0 {
		k.complain(lang.T("cơ quan chưa có domains", "the agency has no domains"), lang.T("thêm domains = [\"…\"], tên miền nó được gửi", "add domains = [\"…\"], those it may send for"), "agency", i)
	}
	for j, d := range domains {
		if !domainForm.MatchString(d) {
			k.complain(lang.T("'"+d+"' không phải tên miền", "'"+d+"' is not a domain name"), lang.T("viết thường, như tinh.gov.vn hoặc *.tinh.gov.vn; tên có dấu viết dạng xn--", "write lower case, tinh.gov.vn or *.tinh.gov.vn; international names as xn--"), "agency", i, "domains", j)
		}
	}
}

func (k *checker) once(seen map[string]bool, v string, what lang.Text, key ...any) {
	if seen[v] {
		k.complain(what, lang.T("giữ lại một chỗ", "keep it in one"), key...)
	}
	seen[v] = true
}
