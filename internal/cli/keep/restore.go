package keep

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newRestore(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var r app.RestoreOptions
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Put a backup of everything into place, and say what is older than what Microsoft knows",
		Long: `restore reads a whole backup, loads it beside the place of this installation, and
puts it there at once or not at all; nothing may have the database open. What stands
there is replaced with --replace alone, and is kept aside. An older backup is brought
up to this program's schema. The settings come back where there are none; nothing
else goes where a backup says. The master key has to be there: no backup has it.

Then it says what the backup does not know: what was done here after it, where that
database still stands; how far the anchors are beyond the restored trail; which
tokens and credentials are newer at Microsoft. Each connection is taken into use and
renewed, so that it is known whether it lives; with --offline nobody is asked.

Exit code 3 says that it is restored, and a connection is dead or held back.`,
		Example: `  partnerguard restore /backup/partnerguard.backup
  partnerguard restore /backup/partnerguard.backup --replace
  partnerguard restore old.backup --data /srv/new --key file:/safe/old.key --offline`,
		Args: aFile("partnerguard restore partnerguard.backup"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := in.Options(cmd.Context(), env)
			if err != nil {
				return err
			}
			if r.Another && !r.Replace {
				return problem.New(problem.Usage, "--another goes with --replace")
			}
			r.File = args[0]
			bars := map[string]*kit.Progress{}
			r.Tell = func(what string, done, of int64) {
				if bars[what] == nil {
					for _, b := range bars {
						b.Done()
					}
					bars[what] = kit.NewCount(env, what)
				}
				bars[what].Set(done, of)
			}
			got, err := app.Restore(cmd.Context(), o, r)
			for _, b := range bars {
				b.Done()
			}
			if got == nil {
				return err
			}
			settle(env, &in, o, got, r.Key)
			if werr := output.Answer(env, got, func(w io.Writer, p kit.Paint) error { return restoredText(w, env, got, p) }); werr != nil || err != nil {
				return errorOf(err, werr)
			}
			bad := 0
			for _, c := range got.Connections {
				if c.Life == app.Dead || c.Life == app.HeldBack {
					bad++
				}
			}
			if bad > 0 {
				return problem.New(problem.Unmet, "the backup is restored, and %s dead or held back", kit.Plural(bad, "connection is", "connections are")).
					WithHint("partnerguard connect status says why, and what heals each")
			}
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&r.Key, "key", "", "the master key of the backup, when it is not the configured one")
	fl.BoolVar(&r.Replace, "replace", false, "put it in the place of what stands here, which is kept aside")
	fl.BoolVar(&r.Another, "another", false, "with --replace: also over another installation")
	fl.BoolVar(&r.Offline, "offline", false, "ask neither Microsoft nor the anchors")
	output.Register(cmd)
	in.Register(cmd)
	return cmd
}

func errorOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// settle says where the settings that came back name another place than the one
// that was restored into.
func settle(env *kit.Env, in *kit.Installation, o app.Options, got *app.Restored, key string) {
	note := func(format string, args ...any) { got.Notes = append(got.Notes, fmt.Sprintf(format, args...)) }
	if key != "" {
		note("the vault wants the backup's master key now: name it in the settings (masterKey), or change it with partnerguard vault master")
	}
	for _, f := range got.Files {
		if f.Name != "settings" || f.How != "restored" {
			continue
		}
		c, err := in.Config(env)
		switch {
		case err != nil:
			note("the settings that came back cannot be used: %s", err)
		case c.Data != o.Config.Data || c.Database != o.Config.Database:
			note("the settings that came back name another place than the one that was restored into: restore again, now that they are there")
		case c.MasterKey != o.Config.MasterKey && key == "":
			note("the settings that came back name another master key than the one that opened the backup")
		}
	}
}

func restoredText(w io.Writer, env *kit.Env, r *app.Restored, p kit.Paint) error {
	wide := kit.Width(env)
	say := func(label, format string, args ...any) {
		for n, line := range kit.Wrap(print.Clean(fmt.Sprintf(format, args...), 2000), max(wide-15, 40)) {
			if n > 0 {
				label = ""
			}
			fmt.Fprintf(w, "  %-12s %s\n", label, line)
		}
	}
	fmt.Fprintln(w, p.Bold("the backup of "+utc(r.Backup.Made)+" is in its place"))
	say("database", "%s, schema %d", r.Database, r.Schema)
	if r.Aside != "" {
		say("aside", "what stood here is kept as %s", r.Aside)
	}
	for _, f := range r.Files {
		word := map[string]string{"restored": "came back to", "same": "is already at", "beside": "is laid beside, as another or none is in use:"}[f.How]
		say("file", "%s %s %s", f.Name, word, f.Path)
	}
	fmt.Fprintln(w, p.Bold("what the backup does not know"))
	sinceText(say, r)
	trailBeyond(say, r)
	for _, a := range r.Apps {
		for _, o := range a.Older {
			say("app", "%s: %s", a.Name, o)
		}
		if a.Unknown != "" {
			say("app", "%s: whether it has a newer credential at Microsoft is not known: %s", a.Name, a.Unknown)
		}
	}
	say("consents", "customers' consents stand at Microsoft, not here: partnerguard customers consent --plan compares them")
	fmt.Fprintln(w, p.Bold("connections"))
	if len(r.Connections) == 0 {
		fmt.Fprintln(w, "  none")
	}
	for _, c := range r.Connections {
		mark := map[app.Life]string{app.Alive: "✓", app.Dead: "✗", app.HeldBack: "✗"}[c.Life]
		if mark == "" {
			mark = "?"
		}
		fmt.Fprintf(w, "%s %s  %s\n", mark, p.Bold(print.Clean(c.Name, 100)), c.Life)
		say("token", "of %s", utc(c.Obtained))
		for _, o := range c.Older {
			say("older", "%s", o)
		}
		if c.Words != "" {
			say("because", "%s", c.Words)
		}
		if c.Fix != "" {
			say("do", "%s", c.Fix)
		}
		if c.Heal != "" { // to be copied: never wrapped
			fmt.Fprintf(w, "  %-12s %s\n", "heal", print.Clean(c.Heal, 500))
		}
	}
	for _, n := range r.Notes {
		say("note", "%s", n)
	}
	_, err := fmt.Fprintln(w, "next: partnerguard connect status; then start partnerguard serve")
	return err
}

// maxActs bounds the lines about what was done since.
const maxActs = 40

// sinceText says what was done here after the backup.
func sinceText(say func(string, string, ...any), r *app.Restored) {
	if r.Since == nil {
		say("since", "what was done after the backup is not known: %s", r.Unknown)
		return
	}
	if r.Since.Entries == 0 {
		say("since", "nothing was recorded here after the backup")
		return
	}
	say("since", "%d entries were recorded here after the backup, the last on %s; they are in what is kept aside", r.Since.Entries, utc(r.Since.Until))
	var counts []string
	for _, a := range slices.Sorted(maps.Keys(r.Since.Actions)) {
		counts = append(counts, fmt.Sprintf("%s %d", a, r.Since.Actions[a]))
	}
	say("", "%s", strings.Join(counts, ", "))
	for n, a := range r.Since.Acts {
		if n == maxActs {
			say("", "and %d more: --output json has them", len(r.Since.Acts)-n)
			break
		}
		say("", "%s  %s %s %s", utc(a.At), a.Action, a.Object, a.Name)
	}
}

// trailBeyond says how far the anchors are ahead.
func trailBeyond(say func(string, string, ...any), r *app.Restored) {
	if !r.Asked {
		say("trail", "it ends with entry %d; the anchors were not asked whether they know of more", r.Trail.Entries)
		return
	}
	if len(r.Trail.Anchors) == 0 {
		say("trail", "it ends with entry %d; there is no anchor that would know of more", r.Trail.Entries)
	}
	for _, a := range r.Trail.Anchors {
		switch {
		case a.Misfit != "":
			say("anchor", "%s does not fit: %s", a.Anchor, a.Misfit)
		case a.Size > r.Trail.Entries:
			say("anchor", "%s has witnessed %d entries, and the restored trail ends with %d: %d were recorded that are not in it. Up to %d it fits. "+
				"This anchor keeps saying so, takes no more of this trail, and partnerguard trail verify ends with 3: name a new place beside it in "+
				"anchors, and keep the old one", a.Anchor, a.Size, r.Trail.Entries, a.Size-r.Trail.Entries, a.Fits)
		case a.Unsaid != "":
			say("anchor", "%s could not be compared: %s", a.Anchor, a.Unsaid)
		default:
			say("anchor", "%s fits, and knows of nothing beyond entry %d", a.Anchor, r.Trail.Entries)
		}
	}
}
