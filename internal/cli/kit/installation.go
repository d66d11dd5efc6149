//go:build !judge

package kit

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partnerguard/internal/app"
	"partnerguard/internal/config"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Installation are the flags of the commands that keep something: where the
// settings, the data and the key of the vault are.
type Installation struct {
	cmd     *cobra.Command // that the flags belong to
	file    string
	Control CloudControl
	Info    *partnercloud.Info // of the local partner cloud, once it was found
	Client  *control.Client    // to it
	Logging bool               // serve logs; a command tells its own errors
	Works   string             // what works the database from here on, such as "serve"; "" looks at it
	flags   []*pflag.Flag      // that are settings
}

// Register adds the flags of the installation's own settings.
func (in *Installation) Register(cmd *cobra.Command) { in.RegisterAs(cmd, "config") }

// RegisterAs is Register where the flag of the settings file has another name, for a
// command whose --config is a file of its own.
func (in *Installation) RegisterAs(cmd *cobra.Command, name string) {
	in.cmd = cmd
	cmd.PersistentFlags().StringVar(&in.file, name, "", "the settings file (default partnerguard.yaml in your configuration folder)")
	_ = cmd.MarkPersistentFlagFilename(name, "yaml", "yml")
	in.settings(cmd.PersistentFlags(), false)
	in.Control.Register(cmd)
	_ = cmd.MarkPersistentFlagDirname("data")
	_ = cmd.RegisterFlagCompletionFunc("cloud", cobra.FixedCompletions(config.Clouds(), cobra.ShellCompDirectiveNoFileComp))
}

// Serving adds the flags of the features' settings, for what runs all of them, those
// of a worker apart; or those that are named.
func (in *Installation) Serving(cmd *cobra.Command, only ...string) {
	in.settings(cmd.Flags(), true, only...)
}

// taking is the annotation of a command that takes the flag of a feature's setting.
const taking = "partnerguard-setting"

// Takes gives a command below an installation's the flag of one setting of a
// feature, such as public-url.
func Takes(cmd *cobra.Command, flag string) {
	cmd.Annotations = map[string]string{taking: flag}
}

// Taking adds the flags that the commands below cmd take, after Register.
func (in *Installation) Taking(cmd *cobra.Command) { in.taken(cmd) }

// taken adds the flags that cmd and the commands below it take.
func (in *Installation) taken(cmd *cobra.Command) {
	if flag := cmd.Annotations[taking]; flag != "" {
		in.settings(cmd.Flags(), true, flag)
	}
	for _, c := range cmd.Commands() {
		in.taken(c)
	}
}

// settings makes flags of the settings that have one, or of those named.
func (in *Installation) settings(fl *pflag.FlagSet, features bool, only ...string) {
	for _, s := range config.Settings() {
		if s.Flag == "" || s.Feature != features {
			continue
		}
		about := s.About
		if features {
			about += " (default the setting " + s.Name + ")"
		}
		if len(only) > 0 && !slices.Contains(only, s.Flag) || len(only) == 0 && strings.HasPrefix(s.Flag, "worker-") {
			continue
		}
		fl.String(s.Flag, "", about)
		in.flags = append(in.flags, fl.Lookup(s.Flag))
		if s.Files != "" {
			_ = cobra.MarkFlagFilename(fl, s.Flag, strings.Split(s.Files, ",")...)
		}
	}
}

// Config gathers the settings.
func (in *Installation) Config(env *Env) (*config.Config, error) {
	given := map[string]string{}
	for _, f := range in.flags {
		if f.Changed {
			given[f.Name] = f.Value.String()
		}
	}
	return config.Load(config.Source{File: in.file, Flags: given, Getenv: env.Getenv})
}

// Options gathers what it takes to open the installation.
func (in *Installation) Options(ctx context.Context, env *Env) (app.Options, error) {
	BeUnreadable() // from here on there are secrets in this process
	c, err := in.Config(env)
	if err != nil {
		return app.Options{}, err
	}
	o := app.Options{Config: c, Now: env.Now, Log: slog.New(slog.DiscardHandler), Getenv: env.Getenv,
		Prompt: func(_ context.Context, what string, confirm bool) (secret.Text, error) {
			return askTwice(env, what, confirm)
		}}
	o.Works = in.Works
	if in.Logging {
		o.Log = slog.New(slog.NewTextHandler(env.Stderr, nil))
	}
	o.Actor = "local:" + LocalUser()
	if c.Cloud == "" || c.Cloud == "partner-cloud" {
		lab, err := in.lab(ctx, env)
		switch {
		case err == nil:
			o.Lab = lab
		case ctx.Err() != nil:
			return o, err
		case c.Cloud != "" && !errors.Is(err, problem.NotFound):
			return o, err
		}
	}
	return o, nil
}

// Open opens the installation; the caller closes it.
func (in *Installation) Open(ctx context.Context, env *Env) (*app.Installation, error) {
	o, err := in.Options(ctx, env)
	if err != nil {
		return nil, err
	}
	s, err := app.Open(ctx, o)
	return Opened(env, s, err)
}

// Data opens the installation without its vault; the caller closes it. To look is
// no reason to make a database: with make false, where nothing is kept yet the error
// is of kind [problem.NotFound].
func (in *Installation) Data(ctx context.Context, env *Env, make bool) (*app.Installation, error) {
	o, err := in.Options(ctx, env)
	if err != nil {
		return nil, err
	}
	o.AtRest = !make
	if !make {
		if kept, err := app.Kept(ctx, o); err != nil {
			return nil, err
		} else if !kept {
			return nil, problem.New(problem.NotFound, "nothing is kept here yet")
		}
	}
	s, err := app.OpenData(ctx, o)
	return Opened(env, s, err)
}

// Kept opens what is kept, to look at it: with the vault where it opens, since only
// then exceptions and kept attestations hold; without it the rest can still be said.
// Kind problem.NotFound where nothing is kept: to look is no reason to make a database.
func (in *Installation) Kept(ctx context.Context, env *Env) (*app.Installation, error) {
	o, err := in.Options(ctx, env)
	if err != nil {
		return nil, err
	}
	o.AtRest = true
	if is, err := app.Kept(ctx, o); err != nil {
		return nil, err
	} else if !is {
		return nil, problem.New(problem.NotFound, "nothing is kept here yet").
			WithHint("partnerguard up collects from a partner cloud; partnerguard connect, then collect --now, from your tenant")
	}
	s, err := app.Open(ctx, o)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(env.Stderr, "partnerguard: the vault does not open, so exceptions and kept attestations are not counted\n")
		s, err = app.OpenData(ctx, o)
	}
	return Opened(env, s, err)
}

// Opened tells what a person should know of an installation.
func Opened(env *Env, s *app.Installation, err error) (*app.Installation, error) {
	if err != nil {
		return nil, err
	}
	if s.Lab() {
		fmt.Fprintln(env.Stderr, "partner cloud: the local one, not Microsoft")
	}
	for _, line := range s.Notes() {
		fmt.Fprintf(env.Stderr, "partnerguard: %s\n", line)
	}
	return s, nil
}

// lab describes the local partner cloud that runs, if one does.
func (in *Installation) lab(ctx context.Context, env *Env) (*app.Lab, error) {
	if in.Info == nil {
		client, err := in.Control.Attach(ctx, env)
		if err != nil {
			return nil, err
		}
		in.Control.File = in.Control.Path(env)
		var info partnercloud.Info
		if err := client.Info(ctx, &info); err != nil {
			return nil, err
		}
		in.Info, in.Client = &info, client
	}
	pem, err := in.Client.CA(ctx)
	if errors.Is(err, problem.NotFound) && in.Info.CAFile != "" {
		pem, err = os.ReadFile(in.Info.CAFile)
	}
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		return nil, problem.Wrap(err, problem.BadInput, "the certificate of the partner cloud cannot be had").WithHint("is it of the same version?")
	}
	clock := func(ctx context.Context) (time.Time, error) {
		c, err := in.Client.Clock(ctx)
		return c.Now, err
	}
	return &app.Lab{Info: in.Info, Roots: roots, Clock: clock}, nil
}

// Installed gives a command the flags of an installation and what opens it.
func Installed(env *Env, build func(open func(context.Context) (*app.Installation, error)) *cobra.Command) *cobra.Command {
	var in Installation
	cmd := build(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	in.Register(cmd)
	in.taken(cmd)
	in.Complete(env, cmd, map[string]Words{"connect remove": Connections, "connect accept": Connections, "connect renew": Connections})
	return cmd
}

// LocalUser is who runs this, for the trail and for what needs a second person: where
// the kernel knows it, who logged in, also behind sudo and the package's command, which
// makes one user of everybody (proc(5): loginuid is set once, at the login).
func LocalUser() string {
	raw, err := os.ReadFile("/proc/self/loginuid")
	if name := loginName(string(raw), user.LookupId); err == nil && name != "" {
		return name
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}

// loginName is the name behind a loginuid; "" where nobody logged in.
func loginName(raw string, lookup func(string) (*user.User, error)) string {
	id, err := strconv.ParseUint(strings.TrimSpace(raw), 10, 32)
	if err != nil || id == math.MaxUint32 { // -1: not set
		return ""
	}
	u, err := lookup(strconv.FormatUint(id, 10))
	if err != nil {
		return ""
	}
	return u.Username
}

// Until shows a moment with how far away it is.
func Until(t, now time.Time) string {
	d := t.Sub(now)
	days := int(d.Hours() / 24)
	switch {
	case d < 0:
		return t.UTC().Format(time.DateOnly) + " (past)"
	case days < 1:
		return t.UTC().Format("2006-01-02 15:04") + " UTC"
	case days == 1:
		return t.UTC().Format(time.DateOnly) + " (1 day)"
	}
	return fmt.Sprintf("%s (%d days)", t.UTC().Format(time.DateOnly), days)
}

// Opener opens an installation.
type Opener func(context.Context) (*app.Installation, error)

// With opens the installation, works with it and closes it.
func (open Opener) With(ctx context.Context, work func(*app.Installation) error) error {
	s, err := open(ctx)
	if err != nil {
		return err
	}
	return Closing(work(s), s.Close)
}

// Closing ends work: the first error is the one that counts.
func Closing(err error, done func() error) error {
	if cerr := done(); err == nil {
		err = cerr
	}
	return err
}

// Run is a command that works with the installation, open.
func (open Opener) Run(work func(context.Context, *app.Installation, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		return open.With(cmd.Context(), func(i *app.Installation) error { return work(cmd.Context(), i, args) })
	}
}
