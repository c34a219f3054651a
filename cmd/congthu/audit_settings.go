package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"congthu/internal/audit"
	"congthu/internal/config"
	"congthu/internal/lang"
	"congthu/internal/signing"
	"congthu/internal/store"
)

// settingsSeen holds, in the data directory, what the settings were when they were last
// looked at: of each the mark of its value with the data key, so that no value is in it.
const settingsSeen = "settings.seen"

// settingsUse is what these marks are for.
const settingsUse = "settings"

// mostNames is how many settings one entry of the record names.
const mostNames = 30

// lookAtSettings is how often it is seen that somebody has changed the settings file or a
// DKIM key, which is done without the gateway.
const lookAtSettings = 5 * time.Minute

// recordStart puts on record that the gateway starts: which version, with which settings
// and rules.
func (g *gateway) recordStart(ctx context.Context) {
	detail := fmt.Sprintf("%s; settings %s; rules %s", runtime.Version(), fileHash(g.file), g.judge.rules.Get().Hash)
	g.note("audit", g.audit.Record(ctx, audit.Entry{Actor: itself, Act: "gateway.start", Object: version(), Detail: detail}))
	g.recordSettings(ctx, "at the start")
}

// recordSettings puts on record which settings are others than when they were last looked
// at, by their names. A file that has mistakes is not looked at: it is not used either.
func (g *gateway) recordSettings(ctx context.Context, when string) {
	if g.file == "" { // the demonstration's
		return
	}
	g.seen.Lock()
	defer g.seen.Unlock()
	c, err := config.Load(g.file)
	if err != nil {
		g.log.Warn("the settings file has mistakes; those in use stay until the gateway is started again, and then it does not start", "file", g.file, "error", err)
		return
	}
	now, name := g.allSettings(c), filepath.Join(g.cfg.DataDir, settingsSeen)
	before, err := readSeen(name)
	g.note("settings", err)
	if before != nil {
		what, known := g.differences(before, now)
		if what == "" && known {
			return
		}
		if !known {
			what = strings.TrimPrefix(what+"; the data key is another: whether more was changed cannot be told", "; ")
		}
		e := audit.Entry{Actor: itself, Act: "settings.change", Object: fileHash(g.file), Detail: "seen " + when + ": " + what}
		if err := g.audit.Record(ctx, e); err != nil {
			g.note("audit", err)
			return // it is seen again the next time
		}
	}
	g.note("settings", g.writeSeen(name, now))
}

// keepSettings looks at the settings until the context ends.
func (g *gateway) keepSettings(ctx context.Context) {
	tick := time.NewTicker(lookAtSettings)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			g.recordSettings(ctx, "by looking")
		}
	}
}

// allSettings gives each setting, and each DKIM key, with what it is.
func (g *gateway) allSettings(c *config.Config) map[string]string {
	out := map[string]string{}
	settingsOf("", reflect.ValueOf(*c), func(name, value string) { out[name] = value })
	keys, err := signing.Open(c.DKIM.Keys).List()
	g.note("DKIM keys", err)
	for _, k := range keys {
		out["dkim key "+k.Domain+" "+k.Selector] = string(k.State) + " " + k.Record
	}
	return out
}

// marked is what a mark of a setting is of.
func marked(name, value string) []byte { return []byte(name + "\x00" + value) }

// settingsOf calls give with the name and the value of each setting below v. What is in a
// list is named by what it is of: route[so.test].next_hop.
func settingsOf(name string, v reflect.Value, give func(name, value string)) {
	t := v.Type()
	switch {
	case t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Tag.Get("toml") != "":
		for i := range t.NumField() {
			key := t.Field(i).Tag.Get("toml")
			if name != "" {
				key = name + "." + key
			}
			settingsOf(key, v.Field(i), give)
		}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && t.Elem().NumField() > 0 && t.Elem().Field(0).Tag.Get("toml") != "":
		for i := range v.Len() {
			settingsOf(fmt.Sprintf("%s[%s]", name, strings.Trim(fmt.Sprint(v.Index(i).Field(0)), "[]")), v.Index(i), give)
		}
	default:
		give(name, fmt.Sprint(v))
	}
}

// differences names what was changed, added and removed since the marks were made; ""
// when nothing was. known is false when there are marks by a data key that is gone, of which
// nothing can be said.
func (g *gateway) differences(before, now map[string]string) (what string, known bool) {
	var changed, added, removed []string
	known = true
	for _, name := range slices.Sorted(maps.Keys(now)) {
		mark, had := before[name]
		if !had {
			added = append(added, name)
			continue
		}
		switch err := g.db.Marked(settingsUse, marked(name, now[name]), mark); {
		case errors.Is(err, store.ErrSealed):
			known = false
		case err != nil:
			changed = append(changed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, has := now[name]; !has {
			removed = append(removed, name)
		}
	}
	var out []string
	for _, part := range []struct {
		what  string
		names []string
	}{{"changed", changed}, {"added", added}, {"removed", removed}} {
		if len(part.names) > 0 {
			out = append(out, part.what+" "+some(part.names))
		}
	}
	return strings.Join(out, "; "), known
}

// some lists names, and how many more there are.
func some(names []string) string {
	var out []string
	for _, n := range names[:min(len(names), mostNames)] {
		out = append(out, lang.Safe(n, 120))
	}
	if more := len(names) - mostNames; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, ", ")
}

// readSeen returns nil when nothing was seen before, or what was is unreadable.
func readSeen(name string) (map[string]string, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out map[string]string
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	return out, err
}

func (g *gateway) writeSeen(name string, now map[string]string) error {
	seen := map[string]string{}
	for name, value := range now {
		seen[name] = g.db.Mark(settingsUse, marked(name, value))
	}
	data, err := json.Marshal(seen)
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// fileHash is the beginning of the SHA-256 of a file, as sha256sum(1) prints it.
func fileHash(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return "unreadable"
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
