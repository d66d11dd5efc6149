//go:build !judge

package kit

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
)

// controlVar names the control file for whoever runs below cloud exec.
const controlVar = "PARTNERGUARD_CLOUD_CONTROL"

// ProgramVar names this program for whoever runs below cloud exec: a script that
// moves the clock need not have it on its path.
const ProgramVar = "PARTNERGUARD"

// CloudControl is the flag that says where the control file is.
type CloudControl struct{ File string }

func (c *CloudControl) Register(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&c.File, "control", "", "the control file of the running partner cloud (default in the user's runtime folder)")
	_ = cmd.MarkPersistentFlagFilename("control", "json")
}

// FolderName begins the names of our folders in shared places.
const FolderName = "partnerguard-cloud-"

// Path is the flag's file, else the environment's, else one in the folder the
// system gives this user.
func (c *CloudControl) Path(env *Env) string {
	if c.File != "" {
		return c.File
	}
	if p := env.Getenv(controlVar); p != "" {
		return p
	}
	base := env.Getenv("XDG_RUNTIME_DIR")
	if base == "" {
		base = os.TempDir()
	}
	return filepath.Join(base, FolderName+strconv.Itoa(os.Getuid()), "control.json")
}

// controlFile leads to a running partner cloud. It holds its secret.
type controlFile struct {
	Address string    `json:"address"`
	Secret  string    `json:"secret"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
}

func (f *controlFile) Dial() *control.Client { return control.Dial(f.Address, f.Secret) }

func (f *controlFile) Alive(ctx context.Context) bool {
	ctx, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	_, err := f.Dial().Clock(ctx)
	return err == nil
}

const maxControl = 16 << 10

// ReadControl reads a control file. Kind problem.NotFound when there is none.
func ReadControl(path string) (*controlFile, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, problem.New(problem.NotFound, "no partner cloud is running: there is no %s", path).
			WithHint("start one with: partnerguard cloud; or name its control file with --control FILE")
	case err != nil:
		return nil, problem.Wrap(err, problem.BadInput, "the control file %s cannot be read", path).WithHint("name another with --control FILE")
	case !info.Mode().IsRegular() || !ownFile(info):
		// In a shared temporary folder anybody can put one there, to be told our
		// secrets or to make us believe in their cloud.
		return nil, problem.New(problem.BadInput, "the control file %s is not yours", path).WithHint("remove it, or name another with --control FILE")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the control file %s cannot be read", path).WithHint("name another with --control FILE")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxControl))
	var c controlFile
	if err != nil || json.Unmarshal(b, &c) != nil || c.Address == "" || c.Secret == "" {
		return nil, problem.New(problem.BadInput, "the control file %s is damaged", path).WithHint("remove it and start the partner cloud again")
	}
	return &c, nil
}

// WriteControl writes the control file, whole or not at all, for its owner
// alone, and gives what removes it again.
func WriteControl(path string, info *partnercloud.Info, now time.Time) (release func(), err error) {
	fail := func(err error) (func(), error) {
		return nil, problem.Wrap(err, problem.BadInput, "the control file %s cannot be written", path).WithHint("name another place with --control FILE")
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(err)
	}
	if stat, err := os.Lstat(dir); strings.HasPrefix(filepath.Base(dir), FolderName) && (err != nil || !stat.IsDir() || !ownFile(stat) ||
		runtime.GOOS != "windows" && stat.Mode().Perm()&0o077 != 0) {
		// One of ours lies in a shared temporary folder: somebody else may have made
		// it before us.
		return nil, problem.New(problem.BadInput, "the folder %s is not yours alone", dir).WithHint("remove it, or name another place with --control FILE")
	}
	b, err := json.MarshalIndent(controlFile{Address: info.Control, Secret: info.ControlSecret, PID: os.Getpid(), Started: now.UTC()}, "", "  ")
	if err != nil {
		return fail(err)
	}
	temp, err := os.CreateTemp(dir, ".control-*") // 0600
	if err != nil {
		return fail(err)
	}
	defer os.Remove(temp.Name()) // nothing to remove once renamed
	_, err = temp.Write(append(b, '\n'))
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fail(err)
	}
	return func() {
		// Another may have taken the place meanwhile: only our own file goes.
		if c, err := ReadControl(path); err == nil && c.Secret == info.ControlSecret {
			_ = os.Remove(path)
		}
	}, nil
}

// Attach finds the running partner cloud.
func (c *CloudControl) Attach(ctx context.Context, env *Env) (*control.Client, error) {
	path := c.Path(env)
	found, err := ReadControl(path)
	if err != nil {
		return nil, err
	}
	client := found.Dial()
	if _, err := client.Clock(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, problem.Wrap(err, problem.NotFound, "no partner cloud answers where %s says: process %d, started %s", path, found.PID,
			found.Started.UTC().Format(time.DateTime)).
			WithHint("it ended without removing the file; start one with: partnerguard cloud")
	}
	return client, nil
}

// Run is a command that works with the running partner cloud.
func (c *CloudControl) Run(env *Env, work func(context.Context, *control.Client, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		client, err := c.Attach(cmd.Context(), env)
		if err != nil {
			return err
		}
		return work(cmd.Context(), client, args)
	}
}
