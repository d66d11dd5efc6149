package config_test

import (
	"os"
	"regexp"
	"testing"

	"partnerguard/internal/config"
)

// TestNotifyExamples: the settings in the page about alerts are read as they stand there.
func TestNotifyExamples(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/notify.md")
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1) {
		text += string(m[1])
	}
	path := write(t, text)
	c, err := config.Load(config.Source{File: path, Getenv: env("HOME", "/h")})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Notify.Channels) != 6 || len(c.Alert.Routes) != 3 || c.Alert.Zone != "Europe/Berlin" || c.Alert.Routes[0].After.Minutes() != 30 {
		t.Errorf("%+v %+v", c.Notify, c.Alert)
	}
	for name, text := range map[string]string{
		"a route to nobody":         "routes: [{kinds: [fraud]}]\n",
		"a kind that is none":       "routes: [{kinds: [frauds], to: [a]}]\n",
		"a severity that is none":   "routes: [{severities: [high], to: [a]}]\n",
		"an escalation at once":     "routes: [{to: [a], escalate: [b]}]\n",
		"an escalation of a digest": "routes: [{to: [a], escalate: [b], after: 30m, digest: daily}]\n",
		"a digest each hour":        "routes: [{to: [a], digest: hourly}]\n",
		"a zone that is none":       "alertZone: Berlin\n",
		"hours that are none":       "quietHours: 22-7\n",
		"a day that is none":        "quietDays: [someday]\n",
		"a window of a day":         "alertWindow: 24h\n",
		"a word that is none":       "channels: [{name: a, syslog: 'udp://h', secrets: x}]\n",
	} {
		if _, err := config.Load(config.Source{File: write(t, text), Getenv: env("HOME", "/h")}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
