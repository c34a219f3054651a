package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

// Run prints the version that the Go toolchain recorded.
func (versionCmd) Run(a *app) error {
	v := version()
	if a.json {
		return a.printJSON(map[string]string{"version": v, "go": runtime.Version()})
	}
	fmt.Fprintln(a.stdout, "congthu", v, runtime.Version())
	return nil
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}
