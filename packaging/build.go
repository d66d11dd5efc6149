package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// make makes all of it. Nothing is left under its name half-made: everything is
// written to a folder beside out, which then takes its place.
func (r *release) make(ctx context.Context) error {
	moment, err := r.moment(ctx)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "packaging-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	s := &stage{dir: filepath.Join(work, "stage"), moment: moment}
	host := filepath.Join(work, "host")
	if err := r.build(ctx, platform{runtime.GOOS, runtime.GOARCH}, host); err != nil {
		return err
	}
	version, err := versionOf(host)
	switch {
	case err != nil && r.dirty:
		version = "v0.0.0-devel" // a worktree, or no clone at all
	case err != nil:
		return err
	}
	if err := s.fill(ctx, r.root, host); err != nil {
		return err
	}
	made := filepath.Join(work, "made")
	if err := os.MkdirAll(made, 0o755); err != nil { //nolint:gosec // what is handed out
		return err
	}
	for _, p := range r.platforms {
		fmt.Println("building", p)
		program := filepath.Join(s.dir, "partnerguard"+exe(p))
		if err := r.build(ctx, p, program); err != nil {
			return err
		}
		if err := os.Chtimes(program, moment, moment); err != nil {
			return err
		}
		if err := r.handOut(made, version, p, s); err != nil {
			return err
		}
		if err := os.Remove(program); err != nil {
			return err
		}
	}
	if err := r.sums(made, version, moment); err != nil {
		return err
	}
	return place(made, r.out)
}

// handOut writes what there is for one platform.
func (r *release) handOut(to, version string, p platform, s *stage) error {
	name := fmt.Sprintf("partnerguard_%s_%s_%s", strings.TrimPrefix(version, "v"), p.os, p.arch)
	program := filepath.Join(s.dir, "partnerguard"+exe(p))
	if err := writeBOM(filepath.Join(to, name+".cdx.json"), program, s.moment); err != nil {
		return err
	}
	if err := s.archive(filepath.Join(to, name), name, p); err != nil {
		return err
	}
	if p.os != "linux" {
		return nil
	}
	v := r.debVersion
	if v == "" {
		v = debVersion(version)
	}
	return writeDeb(filepath.Join(to, fmt.Sprintf("partnerguard_%s_%s.deb", v, p.arch)), v, p.arch, s)
}

// moment is the commit's, and the time of everything that is made.
func (r *release) moment(ctx context.Context) (time.Time, error) {
	changes, err := r.git(ctx, "status", "--porcelain")
	if err != nil {
		return time.Time{}, err
	}
	if changes != "" && !r.dirty {
		return time.Time{}, fmt.Errorf("there are changes that no commit has, which nobody could build again:\n%s", changes)
	}
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		if text, err = r.git(ctx, "log", "-1", "--format=%ct"); err != nil {
			return time.Time{}, err
		}
	}
	sec, err := strconv.ParseInt(text, 10, 64)
	if err != nil || sec <= 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q and not seconds since 1970", text)
	}
	return time.Unix(sec, 0).UTC(), nil
}

func (r *release) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", r.root}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// build builds the program. Whatever of the builder's environment would change the
// bytes is set: the rest is the commit and Go's version, which the program names.
func (r *release) build(ctx context.Context, p platform, to string) error {
	abs, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid=", "-o", abs, "./cmd/partnerguard")
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.root, os.Stderr, os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=",
		"GOFIPS140=off", "GOWORK=off")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build for %s: %w", p, err)
	}
	return nil
}

func exe(p platform) string {
	if p.os == "windows" {
		return ".exe"
	}
	return ""
}

// versionOf is the version that Go stamped into a program: the commit's tag, or one
// made of the commit's time and id.
func versionOf(program string) (string, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", err
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v, nil
	}
	return "", fmt.Errorf("%s has no version of its commit: is this a clone of its own? (Go reads no linked worktree)", program)
}

// place puts the folder made in the place of out.
func place(made, out string) error {
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	return os.CopyFS(out, os.DirFS(made))
}
