// Package configs holds the texts of the letters that the gateway itself writes, as they are
// when the administrator has no copy of their own. The other files here are read from disk.
package configs

import "embed"

// Notices are the texts, in the directory notices.
//
//go:embed notices/*.txt
var Notices embed.FS
