//go:build !judge

package cli

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// pages are the commands that a running server can answer too, by the page of its
// console that has the same rows.
var pages = map[string]kit.Remote{
	"automation":            {Page: "automation"},
	"collect status":        {Page: "collection", Flags: map[string]string{"tenant": "tenant"}},
	"connect status":        {Page: "connections"},
	"console roles list":    {Page: "roles"},
	"console sessions list": {Page: "sessions"},
	"console tokens list":   {Page: "tokens"},
	"customers list":        {Page: "customers"},
	"exceptions list":       {Page: "exceptions"},
	"gaps":                  {Page: "collection/gaps", Flags: map[string]string{"tenant": "tenant"}, Finds: true},
	"notify channels":       {Page: "alerts/channels"},
	"notify history":        {Page: "alerts/told"},
	"notify list":           {Page: "alerts"},
	"trail list":            {Page: "trail"},
}

func remotely(env *kit.Env, root *cobra.Command) { kit.Remotely(env, root, pages) }
