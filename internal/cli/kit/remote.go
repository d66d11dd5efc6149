//go:build !judge

package kit

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partnerguard/internal/client"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// TokenVar has the token of the server that --server names, where no file does.
const TokenVar = "PARTNERGUARD_TOKEN"

// Remote is what a command asks of a server: the rows of a page of the console.
type Remote struct {
	Page  string
	Flags map[string]string // flags that the page's address has a member for
	Finds bool              // that there are rows is exit code 3, as on this machine
}

// remote is the server that the command line names.
type remote struct {
	server, token, roots string
}

// Remotely lets commands go to a running server: --server URL, with a token of its
// console. pages are those that can, by their path; every other says that it works on
// this machine alone.
func Remotely(env *Env, root *cobra.Command, pages map[string]Remote) {
	r := &remote{}
	f := root.PersistentFlags()
	f.StringVar(&r.server, "server", "", "ask the Partnerguard that runs at this address, instead of this machine's data")
	f.StringVar(&r.token, "token-file", "", "with --server: the file of a token (default the variable "+TokenVar+")")
	f.StringVar(&r.roots, "server-roots", "", "with --server: a PEM file of the roots to trust (default the system's)")
	for _, name := range []string{"server", "token-file", "server-roots"} {
		_ = f.MarkHidden(name) // they are told where they work
	}
	r.wrap(env, root, pages)
}

func (r *remote) wrap(env *Env, cmd *cobra.Command, pages map[string]Remote) {
	for _, c := range cmd.Commands() {
		r.wrap(env, c, pages)
	}
	run, before := cmd.RunE, cmd.PreRunE
	if run == nil || cmd.HasSubCommands() && pages[pathOf(cmd)].Page == "" {
		return
	}
	if before != nil {
		cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
			if r.server != "" {
				return nil
			}
			return before(cmd, args)
		}
	}
	page, can := pages[pathOf(cmd)]
	if can {
		if cmd.Example != "" {
			cmd.Example += "\n"
		}
		cmd.Example += "  " + cmd.CommandPath() + " --server https://guard.contoso.example --token-file token"
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case r.server == "" && (r.token != "" || r.roots != ""):
			return problem.New(problem.Usage, "--token-file and --server-roots go with --server")
		case r.server == "":
			return run(cmd, args)
		case !can:
			return problem.New(problem.Usage, "%s works on this machine's data alone", cmd.CommandPath()).
				WithHint("a server is asked by: %s", strings.Join(slices.Sorted(maps.Keys(pages)), ", "))
		}
		return r.show(env, cmd, page)
	}
}

func pathOf(cmd *cobra.Command) string {
	_, path, _ := strings.Cut(cmd.CommandPath(), " ")
	return path
}

// members are the members of the page's address that the command's flags say.
func (p *Remote) members(cmd *cobra.Command) (url.Values, error) {
	q := url.Values{}
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case slices.Contains([]string{"output", "out", "server", "token-file", "server-roots"}, f.Name):
		case f.Name == "tenant" && p.Flags[f.Name] != "" && f.Value.String() == "partner": // which is where nothing is said
		case p.Flags[f.Name] != "":
			q.Set(p.Flags[f.Name], f.Value.String())
		case err == nil:
			err = problem.New(problem.Usage, "--%s is not asked of a server", f.Name).WithHint("leave it out, or leave --server out")
		}
	})
	return q, err
}

func (r *remote) show(env *Env, cmd *cobra.Command, page Remote) error {
	q, err := page.members(cmd)
	if err != nil {
		return err
	}
	o := client.Options{Server: r.server}
	if o.Token, err = client.ReadToken(r.token, env.Getenv(TokenVar)); err != nil {
		return err
	}
	if r.roots != "" {
		if o.Roots, err = client.ReadRoots(r.roots); err != nil {
			return err
		}
	}
	c, err := client.New(o)
	if err != nil {
		return err
	}
	all, err := client.All[json.RawMessage](cmd.Context(), c, page.Page, q)
	if err != nil {
		return err
	}
	if err := r.print(env, cmd, c, page, q, all); err != nil || !page.Finds || len(all.Data) == 0 {
		return err
	}
	return problem.New(problem.Unmet, "%s", Plural(len(all.Data), "row", "rows"))
}

func (r *remote) print(env *Env, cmd *cobra.Command, c *client.Client, page Remote, q url.Values, all *client.Page[json.RawMessage]) error {
	form, file := "text", ""
	if f := cmd.Flags().Lookup("output"); f != nil {
		form = f.Value.String()
	}
	if f := cmd.Flags().Lookup("out"); f != nil {
		file = f.Value.String()
	}
	out := &Output{Choice: Choice{Value: form}, File: file}
	switch form {
	case "json":
		return out.Write(env, Forms{"json": func(w io.Writer) error { return print.JSON(w, all) }})
	case "text", "csv":
	default:
		return problem.New(problem.Usage, "a server's answer is not printed as %s", form).WithHint("--output text, json or csv")
	}
	rows, err := c.Sheet(cmd.Context(), page.Page, q)
	if err != nil {
		return err
	}
	return out.Write(env, Forms{
		"text": func(w io.Writer) error { return sheet(w, out.Paint(env), all, rows) },
		"csv": func(w io.Writer) error {
			s := print.NewSheet(w, rows[0]...)
			for _, row := range rows[1:] {
				s.Row(row...)
			}
			return s.Close()
		},
	})
}

// sheet prints what a server answers: what is wrong with it, its rows, and how old it is.
func sheet(w io.Writer, p Paint, all *client.Page[json.RawMessage], rows [][]string) error {
	for _, n := range all.Notices {
		fmt.Fprintf(w, "! %s\n", print.Clean(n.Text, print.MaxSaying))
	}
	var columns []Column[[]string]
	for i, name := range rows[0] {
		columns = append(columns, Col(spaced(name), func(row *[]string) string { return (*row)[i] }))
	}
	switch {
	case len(rows) > 1:
		Table(w, p, rows[1:], columns...)
	case all.Missing:
		fmt.Fprintln(w, "Nothing was read yet.")
	default:
		fmt.Fprintln(w, "None.")
	}
	for _, f := range all.Facts {
		if f.Decides && f.State != "in time" {
			fmt.Fprintf(w, "! %s: %s, as of %s\n", print.Clean(f.What, print.MaxName), print.Clean(f.State, 20), print.When(f.At))
		}
	}
	_, err := fmt.Fprintln(w, p.Dim("as of "+print.When(all.AsOf)+", told by the server"))
	return err
}

// spaced is a column's name as a head: "fallShort" is "fall short".
func spaced(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return print.Clean(b.String(), 40)
}
