package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

// Run prints the version that the Go toolchain recorded.
func (versionCmd) Run(a *app) error {
	v := "devel"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v = info.Main.Version
	}
	if a.json {
		return a.printJSON(map[string]string{"version": v, "go": runtime.Version()})
	}
	fmt.Fprintln(a.stdout, "congthu", v, runtime.Version())
	return nil
}
