package main

import (
	"errors"
	"os"
	"path/filepath"

	"congthu/internal/config"
)

// places are where the settings are looked for when --config is not given.
func places() []string {
	return []string{"/etc/congthu/congthu.toml", "configs/congthu.toml"}
}

// settings reads the settings file.
func (a *app) settings() (*config.Config, error) {
	name := a.config
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
	return config.Load(name)
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
