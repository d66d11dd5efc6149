package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

// platforms are those of a release.
var platforms = []platform{{"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}, {"darwin", "amd64"}, {"darwin", "arm64"}}

// platform is one that Go builds for.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// release is what was asked for.
type release struct {
	root       string // of the clone
	out        string // a folder, made anew
	key        string // file of the signing key; "" signs nothing
	debVersion string // "" for the program's own
	dirty      bool   // also with changes that no commit has
	platforms  []platform
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("say release or key")
	}
	fs := flag.NewFlagSet(args[0], flag.ContinueOnError)
	r := release{platforms: platforms}
	fs.StringVar(&r.root, "root", "..", "the clone")
	fs.StringVar(&r.out, "out", "../dist", "the folder to write")
	fs.StringVar(&r.key, "key", "", "the file of the signing key")
	fs.StringVar(&r.debVersion, "deb-version", "", "another version for the Debian package, to test an upgrade")
	fs.BoolVar(&r.dirty, "dirty", false, "also with changes that no commit has; for tests")
	only := fs.String("only", "", "of the platforms only these, with commas between: linux/amd64")
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	if *only != "" {
		r.platforms = nil
		for _, name := range strings.Split(*only, ",") {
			goos, arch, ok := strings.Cut(name, "/")
			if !ok {
				return fmt.Errorf("%q is no platform; e.g. linux/amd64", name)
			}
			r.platforms = append(r.platforms, platform{goos, arch})
		}
	}
	switch args[0] {
	case "release":
		return r.make(ctx)
	case "key":
		if r.key == "" {
			return errors.New("say where: -key FILE, outside of any repository")
		}
		return makeKey(r.key)
	}
	return fmt.Errorf("%q is no command: release or key", args[0])
}
