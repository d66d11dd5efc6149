package child

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/problem"
)

// graceful is how long a child may take to end after an interrupt.
const graceful = 10 * time.Second

// The exit codes of a command that could not be run, as a shell has them (POSIX.1-2024,
// Shell, section 2.8.2).
const (
	cannotRun = 126
	notFound  = 127
)

// Find looks a command up as a shell does: in PATH, or by its path. The error ends us
// with 127 where there is none, and with 126 where it may not be run.
func Find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	code, why, hint := notFound, "there is no such command", "is it installed and in PATH?"
	switch {
	case errors.Is(err, exec.ErrDot):
		why, hint = "it is in the folder that you are in, which is not searched", "name it as ./"+name
	case !errors.Is(err, exec.ErrNotFound) && !errors.Is(err, fs.ErrNotExist):
		code, why, hint = cannotRun, "it is there, and may not be run", "is it a program, with the right to be run (chmod +x)?"
	}
	return "", kit.Coded{Code: code, Err: problem.Wrap(err, problem.NotFound, "the command %.200q cannot be run: %s", name, why).WithHint("%s", hint)}
}

// Options are a command to run.
type Options struct {
	Path    string
	Args    []string // with its own name first
	Environ []string
	// sealed leaves it nothing but the three streams: a command beside the vault.
	// Else it gets the descriptors that we were given, as from env(1).
	Sealed bool
	User   *User // nil is our own
}

// Run runs the command, hands signals on, and gives its exit code as a
// exit. Signals that we were told to ignore the child ignores too; its
// resource limits are those that we were started with.
func Run(ctx context.Context, env *kit.Env, o Options) error {
	signals := make(chan os.Signal, 4)
	for _, s := range handedOn() {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)
	child := exec.Command(o.Path, o.Args[1:]...)
	child.Args[0] = o.Args[0]
	child.Env = o.Environ
	child.Stdin, child.Stdout, child.Stderr = env.Stdin, env.Stdout, env.Stderr
	child.WaitDelay = graceful // a grandchild that holds the pipes does not hold us
	if o.User != nil {
		o.User.become(child)
	}
	if o.Sealed {
		if err := KeepClosed(); err != nil {
			return problem.Wrap(err, problem.Internal, "the open files of this process cannot be kept from the command, so it is not started")
		}
	}
	if err := child.Start(); err != nil {
		if o.User != nil {
			if why := o.User.notAllowed(err); why != nil {
				return why
			}
		}
		return kit.Coded{Code: cannotRun, Err: problem.Wrap(err, problem.BadInput, "the command %.200q cannot be started%s", o.Args[0],
			problem.Reason(err)).WithHint("is it a program for this machine?")}
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	tty := false
	if f, ok := env.Stdin.(*os.File); ok {
		_, tty = kit.Terminal(f)
	}
	gone := ctx.Done()
	for {
		select {
		case err := <-ended:
			return exitOf(err)
		case s := <-signals:
			gone = nil // the same signal ended ctx
			if typed(s) && tty {
				continue // the terminal told the child itself
			}
			_ = child.Process.Signal(s)
		case <-gone:
			gone = nil
			// A signal that ended ctx is on its way to us too; only an end without
			// one must be told.
			select {
			case s := <-signals:
				if !typed(s) || !tty {
					_ = child.Process.Signal(s)
				}
			case <-time.After(100 * time.Millisecond):
				if child.Process.Signal(syscall.SIGTERM) != nil {
					_ = child.Process.Kill()
				}
			}
		}
	}
}

// exitOf turns the end of a child into our own.
func exitOf(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		if s, ok := e.Sys().(syscall.WaitStatus); ok && s.Signaled() {
			return kit.Exit(128 + int(s.Signal()))
		}
		return kit.Exit(e.ExitCode())
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // it ended well; somebody still holds its output
	}
	return problem.Wrap(err, problem.Internal, "the command could not be waited for")
}
