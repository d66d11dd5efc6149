package cli

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"partnerguard/internal/app"
	"partnerguard/internal/automation"
	"partnerguard/internal/config"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// installation are the flags of the commands that keep something: where the
// settings, the data and the key of the vault are.
type installation struct {
	cmd     *cobra.Command // that the flags belong to
	file    string
	control cloudControl
	info    *partnercloud.Info // of the local partner cloud, once it was found
	client  *control.Client    // to it
	logging bool               // serve logs; a command tells its own errors
	more    []string           // the command's own flags that are settings
}

func (in *installation) register(cmd *cobra.Command) {
	in.cmd = cmd
	fl := cmd.PersistentFlags()
	fl.StringVar(&in.file, "config", "", "the settings file (default partnerguard.yaml in your configuration folder)")
	fl.String("data", "", "the folder of the database (default in your data folder)")
	fl.String("master-key", "", "what opens the vault: file:PATH, passphrase, passphrase-file:PATH, systemd:NAME, azurekeyvault:URL")
	fl.String("cloud", "", "which cloud: "+strings.Join(config.Clouds(), ", ")+" (the local one)")
	in.control.register(cmd)
	_ = cmd.MarkPersistentFlagFilename("config", "yaml", "yml")
	_ = cmd.MarkPersistentFlagDirname("data")
	_ = cmd.RegisterFlagCompletionFunc("cloud", cobra.FixedCompletions(config.Clouds(), cobra.ShellCompDirectiveNoFileComp))
}

func (in *installation) config(env *Env) (*config.Config, error) {
	given := map[string]string{}
	for _, name := range []string{"data", "master-key", "cloud"} {
		if f := in.cmd.PersistentFlags().Lookup(name); f.Changed {
			given[name] = f.Value.String()
		}
	}
	for _, name := range in.more {
		if f := in.cmd.Flags().Lookup(name); f.Changed {
			given[name] = f.Value.String()
		}
	}
	return config.Load(config.Source{File: in.file, Flags: given, Getenv: env.Getenv})
}

// options gathers what it takes to open the installation.
func (in *installation) options(ctx context.Context, env *Env) (app.Options, error) {
	beUnreadable() // from here on there are secrets in this process
	c, err := in.config(env)
	if err != nil {
		return app.Options{}, err
	}
	o := app.Options{Config: c, Now: env.Now, Log: slog.New(slog.DiscardHandler), Getenv: env.Getenv, Prompt: func(_ context.Context, what string, confirm bool) (secret.Text, error) {
		return askTwice(env, what, confirm)
	}}
	if in.logging {
		o.Log = slog.New(slog.NewTextHandler(env.Stderr, nil))
	}
	o.Actor = "local:" + localUser()
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

// open opens the installation; the caller closes it.
func (in *installation) open(ctx context.Context, env *Env) (*app.Installation, error) {
	o, err := in.options(ctx, env)
	if err != nil {
		return nil, err
	}
	s, err := app.Open(ctx, o)
	return opened(env, s, err)
}

// opened tells what a person should know of an installation.
func opened(env *Env, s *app.Installation, err error) (*app.Installation, error) {
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
func (in *installation) lab(ctx context.Context, env *Env) (*app.Lab, error) {
	if in.info == nil {
		client, err := in.control.attach(ctx, env)
		if err != nil {
			return nil, err
		}
		in.control.file = in.control.path(env)
		var info partnercloud.Info
		if err := client.Info(ctx, &info); err != nil {
			return nil, err
		}
		in.info, in.client = &info, client
	}
	pem, err := in.client.CA(ctx)
	if errors.Is(err, problem.NotFound) && in.info.CAFile != "" {
		pem, err = os.ReadFile(in.info.CAFile)
	}
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		return nil, problem.Wrap(err, problem.BadInput, "the certificate of the partner cloud cannot be had").WithHint("is it of the same version?")
	}
	clock := func(ctx context.Context) (time.Time, error) {
		c, err := in.client.Clock(ctx)
		return c.Now, err
	}
	return &app.Lab{Info: in.info, Roots: roots, Clock: clock}, nil
}

// installed gives a command the flags of an installation and what opens it.
func installed(env *Env, build func(open func(context.Context) (*app.Installation, error)) *cobra.Command) *cobra.Command {
	var in installation
	cmd := build(func(ctx context.Context) (*app.Installation, error) { return in.open(ctx, env) })
	in.register(cmd)
	return cmd
}

// newSettledTrail, newSettledVault and newSettledAutomation give commands that
// work without the vault what they need.
func newSettledTrail(env *Env) *cobra.Command {
	var in installation
	cmd := newTrail(env, func(ctx context.Context, need trailNeed) (trailParts, error) {
		o, err := in.options(ctx, env)
		if err != nil {
			return trailParts{}, err
		}
		var s *app.Installation
		switch {
		case need == signs:
			s, err = app.Open(ctx, o)
		case need == keyIfAny && len(o.Config.Anchor.Places) > 0 && o.Config.Anchor.Key == "":
			// Without the vault the rest can still be said.
			if s, err = app.Open(ctx, o); err != nil && ctx.Err() == nil {
				fmt.Fprintf(env.Stderr, "partnerguard: the vault does not open, so signatures of checkpoints are not checked: set trailKey\n")
				s, err = app.OpenData(ctx, o)
			}
		default:
			s, err = app.OpenData(ctx, o)
		}
		if s, err = opened(env, s, err); err != nil {
			return trailParts{}, err
		}
		return trailParts{Trail: s.Trail, Anchors: s.Keeper.Anchors, Verifiers: s.Keeper.Verifiers, Close: s.Close,
			Send: func(ctx context.Context) ([]trail.Standing, error) { return s.Keeper.Send(ctx, true) }, Key: s.Keeper.Key}, nil
	})
	in.register(cmd)
	return cmd
}

func newSettledVault(env *Env) *cobra.Command {
	var in installation
	cmd := newVault(env, func(ctx context.Context) (vaultParts, error) {
		o, err := in.options(ctx, env)
		if err != nil {
			return vaultParts{}, err
		}
		s, err := app.OpenData(ctx, o)
		if s, err = opened(env, s, err); err != nil {
			return vaultParts{}, err
		}
		master := func(spec string) (vault.Master, error) {
			if spec == "" {
				spec = o.Config.MasterKey
			}
			return app.ParseMaster(spec, o)
		}
		return vaultParts{DB: s.DB, Options: s.VaultOptions(), Master: master, Close: s.Close}, nil
	})
	in.register(cmd)
	return cmd
}

func newSettledAutomation(env *Env) *cobra.Command {
	var in installation
	var cmd *cobra.Command
	cmd = newAutomation(env, func(ctx context.Context) (*automation.Store, func() error, error) {
		o, err := in.options(ctx, env)
		if err != nil {
			return nil, nil, err
		}
		// To look is no reason to make a database.
		if from := cmd.Flags().Lookup("from"); from == nil || !from.Changed {
			if kept, err := app.Kept(ctx, o); err != nil || !kept {
				if err == nil {
					err = problem.New(problem.NotFound, "nothing is kept here yet")
				}
				return nil, nil, err
			}
		}
		s, err := app.OpenData(ctx, o)
		if s, err = opened(env, s, err); err != nil {
			return nil, nil, err
		}
		store, err := automation.New(automation.Deps{DB: s.DB, Record: s.Trail, Now: s.Now})
		if err != nil {
			_ = s.Close()
			return nil, nil, err
		}
		return store, s.Close, nil
	})
	in.register(cmd)
	return cmd
}

// ask reads a secret from the terminal, without showing it.
func ask(env *Env, label string) (secret.Text, error) {
	f, tty := os.Stdin, false
	if in, ok := env.Stdin.(*os.File); ok {
		f, tty = in, term.IsTerminal(int(in.Fd()))
	}
	if !tty {
		return secret.Text{}, problem.New(problem.Usage, "%s is asked for, and standard input is no terminal", label).
			WithHint("use passphrase-file:PATH, file:PATH or systemd:NAME where nobody can type")
	}
	fmt.Fprintf(env.Stderr, "%s: ", label)
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(env.Stderr)
	if err != nil {
		return secret.Text{}, problem.Wrap(err, problem.BadInput, "%s could not be read", label)
	}
	defer clear(b)
	return secret.New(string(b)), nil
}

// askTwice asks for a new secret a second time, since nobody saw the first.
func askTwice(env *Env, label string, confirm bool) (secret.Text, error) {
	s, err := ask(env, label)
	if err != nil || !confirm {
		return s, err
	}
	again, err := ask(env, label+", once more")
	if err != nil {
		return secret.Text{}, err
	}
	if !s.Equal(again) {
		return secret.Text{}, problem.New(problem.BadInput, "the two are not the same")
	}
	return s, nil
}

// readSecret reads one line from a file, or from standard input for "-".
func readSecret(env *Env, path string) (secret.Text, error) {
	const most = 16 << 10
	var r io.Reader = env.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return secret.Text{}, problem.Wrap(err, problem.NotFound, "the file %s cannot be read", path)
		}
		defer f.Close()
		r = f
	} else if _, tty := terminalIn(env.Stdin); tty {
		return ask(env, "the secret")
	}
	line, err := bufio.NewReader(io.LimitReader(r, most+1)).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if err != nil && !errors.Is(err, io.EOF) || line == "" || len(line) > most {
		return secret.Text{}, problem.New(problem.BadInput, "no secret could be read from %s", path).WithHint("one line of at most %d bytes", most)
	}
	return secret.New(line), nil
}

func terminalIn(r io.Reader) (*os.File, bool) {
	f, ok := r.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

func localUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}

// until shows a moment with how far away it is.
func until(t, now time.Time) string {
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
