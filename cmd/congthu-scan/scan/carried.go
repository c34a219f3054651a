package scan

import (
	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/carrier"
	"congthu/cmd/congthu-scan/sniff"
)

// carrierOf returns what opens a wrapping of mail programs; nil for what is none.
func carrierOf(kind sniff.Kind) func(*archive.Budget, []byte, carrier.Visit) []archive.Remark {
	switch kind {
	case sniff.TNEF:
		return carrier.TNEF
	case sniff.CMS:
		return carrier.CMS
	case sniff.Apple:
		return carrier.AppleFile
	}
	return nil
}

func (l *look) carried(o carrier.Object) { l.item(item{names: o.Names, data: o.Data}) }
