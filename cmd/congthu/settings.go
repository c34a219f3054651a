package main

import (
	"errors"
	"os"
	"path/filepath"

	"congthu/internal/config"
)

// inTree is the settings file of the source tree, all defaults.
const inTree = "configs/congthu.toml"

// places are where the settings are looked for when --config is not given.
func places() []string {
	return []string{"/etc/congthu/congthu.toml", inTree}
}

// settings reads the settings file.
func (a *app) settings() (*config.Config, error) {
	if a.remote.Server != "" {
		return nil, fail(exitUsage, "lệnh này chỉ chạy trên chính máy của cổng thư, vì đọc cấu hình và tệp ở đó; không dùng được với --server (hay CONGTHU_SERVER)", "this command works on the gateway's own machine only, for it reads the settings and files there; it does not go with --server (or CONGTHU_SERVER)")
	}
	name := a.config
	chosen := name != ""
	for _, p := range places() {
		if name != "" {
			break
		}
		if _, err := os.Stat(p); !errors.Is(err, os.ErrNotExist) {
			name = p
		}
	}
	if name == "" {
		return nil, fail(exitConfig, "không thấy tệp cấu hình; dùng --config TỆP", "no settings file found; give one with --config FILE")
	}
	a.config = name
	c, err := config.Load(name)
	if err == nil && !chosen && name == inTree {
		useTree(c)
	}
	return c, err
}

// settingsHere reads the settings, or returns nil when the gateway is elsewhere: for what is
// only said a little better with them.
func (a *app) settingsHere() (*config.Config, error) {
	if a.remote.Server != "" {
		return nil, nil
	}
	return a.settings()
}

// useTree lets a newcomer try the commands in the source tree, where nothing is
// installed: the tree's own rules, and state that git does not see.
func useTree(c *config.Config) {
	if _, err := os.Stat(c.RulesDir); err == nil {
		return
	}
	rules, err := filepath.Abs("rules")
	if err != nil {
		return
	}
	c.RulesDir = rules
	c.DataDir = filepath.Join(filepath.Dir(rules), ".cache", "data")
	c.PGP.Keys = filepath.Join(c.DataDir, "keys")
	c.DKIM.Keys = filepath.Join(c.DataDir, "dkim")
	c.Admin.Socket = filepath.Join(c.DataDir, "admin.sock")
}

// worker is the scan worker's path: as configured, else beside this program.
func worker(c *config.Config) string {
	if c.Scan.Worker != "" {
		return c.Scan.Worker
	}
	if self, err := os.Executable(); err == nil {
		return filepath.Join(filepath.Dir(self), "congthu-scan")
	}
	return "congthu-scan"
}
