package guard

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/otp"
	"partnerguard/internal/problem"
)

func newOTPUnlock(env *kit.Env, f *otpFile) *cobra.Command {
	var life time.Duration
	cmd := &cobra.Command{Use: "unlock", Short: "Keep codes at hand for some minutes, without the passphrase", Args: kit.NoWords,
		Long: `unlock asks for the passphrase once, and starts an agent of yours that gives codes to
otp show and otp list. It never gives a seed or the key. It forgets after --for, at otp
lock, and when the machine has slept. Until then whatever runs as your user has your
codes. There is none on Windows.`,
		Example: "  partnerguard otp unlock --for 10m",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.store(env)
			if err != nil {
				return err
			}
			a, err := otp.NewAgent(cmd.Context(), s, life)
			if err != nil {
				return err
			}
			if _, err := otp.Lock(cmd.Context(), otp.Socket(env.Getenv)); err != nil { // one that was open before
				return err
			}
			if err := startAgent(env, a); err != nil {
				return err
			}
			fmt.Fprintf(env.Stderr, "Codes are at hand for %s; partnerguard otp lock ends it.\n", life)
			return nil
		}}
	cmd.Flags().DurationVar(&life, "for", otp.UsualLife, "how long, up to "+otp.MaxLife.String())
	return cmd
}

// startAgent starts this program as the agent. The key goes through a pipe; the agent
// answers with a line when it listens, or with why it does not.
func startAgent(env *kit.Env, a *otp.Agent) error {
	exe, err := os.Executable()
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the agent cannot be started: this program's own file is not found")
	}
	var in bytes.Buffer
	if err := a.Hand(&in); err != nil {
		return err
	}
	defer func() { clear(in.Bytes()[:in.Cap()]) }()
	run := exec.Command(exe, "otp", "agent") //nolint:noctx // it outlives this command
	run.Args[0] = os.Args[0]
	run.SysProcAttr = otp.Apart()
	run.Dir = "/"
	for _, name := range []string{"HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "PATH"} {
		if v := env.Getenv(name); v != "" {
			run.Env = append(run.Env, name+"="+v)
		}
	}
	into, err := run.StdinPipe()
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the agent cannot be started")
	}
	out, err := run.StdoutPipe()
	if err == nil {
		err = run.Start()
	}
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the agent cannot be started")
	}
	_, err = into.Write(in.Bytes())
	if cerr := into.Close(); err == nil {
		err = cerr
	}
	line, rerr := io.ReadAll(io.LimitReader(out, 1<<10))
	if err == nil && string(line) == "ready\n" {
		return run.Process.Release()
	}
	_ = run.Wait()
	return problem.Wrap(rerr, problem.Unavailable, "the agent did not start: %s", bytes.TrimSpace(line))
}

func newOTPAgent(env *kit.Env) *cobra.Command {
	return &cobra.Command{Use: "agent", Short: "The process that otp unlock starts", Hidden: true, Args: kit.NoWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kit.BeUnreadable()
			a, err := otp.TakeAgent(env.Input())
			if err != nil {
				return err
			}
			l, err := otp.ListenAgent(otp.Socket(env.Getenv))
			if err != nil {
				fmt.Fprintln(env.Stdout, err)
				return err
			}
			fmt.Fprintln(env.Stdout, "ready")
			if f, ok := env.Stdout.(*os.File); ok {
				f.Close() // whoever started it waits for the end of what it says
			}
			return a.Serve(cmd.Context(), l)
		}}
}

func newOTPLock(env *kit.Env) *cobra.Command {
	return &cobra.Command{Use: "lock", Short: "Have the agent forget, now", Args: kit.NoWords, Example: "  partnerguard otp lock",
		RunE: func(cmd *cobra.Command, _ []string) error {
			was, err := otp.Lock(cmd.Context(), otp.Socket(env.Getenv))
			if err != nil {
				return err
			}
			said := "It was locked already."
			if was {
				said = "Locked."
			}
			fmt.Fprintln(env.Stderr, said)
			return nil
		}}
}

func newOTPCorrect(env *kit.Env, f *otpFile) *cobra.Command {
	var from string
	var offset time.Duration
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{Use: "correct", Short: "Correct the clock that codes are computed by", Args: kit.NoWords,
		Long: `correct compares the machine's clock with the time that a web server of your choice says
(HTTPS, to the second), or takes a difference that you know, and computes codes by the
corrected time from then on, up to an hour off. It does not set the clock. Codes that are
refused again and again mostly mean a clock that is off.`,
		Example: `  partnerguard otp correct --from https://login.microsoftonline.com
  partnerguard otp correct --offset -42s
  partnerguard otp correct --offset 0s`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			given := cmd.Flags().Changed("offset")
			if given == (from != "") {
				return problem.New(problem.Usage, "say either --from or --offset").WithHint("partnerguard otp correct --from https://login.microsoftonline.com")
			}
			s, err := f.store(env)
			if err != nil {
				return err
			}
			c := otp.Correction{Offset: offset}
			if from != "" {
				if c, err = otp.Measure(cmd.Context(), http.DefaultClient, from, env.Now); err != nil {
					return err
				}
				if c.Offset.Abs() <= c.Within {
					c.Offset = 0 // as exact as can be told
				}
			}
			if err := s.Change(cmd.Context(), false, func(b *otp.Book) error { return b.Correct(c.Offset, env.Now()) }); err != nil {
				return err
			}
			v := map[string]float64{"clockOffset": c.Offset.Seconds(), "within": c.Within.Seconds()}
			return output.Answer(env, v, func(w io.Writer, _ kit.Paint) error {
				if c.Offset == 0 {
					fmt.Fprintln(w, "The clock is taken as it is.")
					return nil
				}
				fmt.Fprintf(w, "Codes are computed with the clock corrected by %s.\n", signed(c.Offset))
				return nil
			})
		}}
	cmd.Flags().StringVar(&from, "from", "", "the https:// address of a web server that says what time it is")
	cmd.Flags().DurationVar(&offset, "offset", 0, "what to add to the machine's clock, such as -42s; 0s takes it as it is")
	output.Register(cmd)
	return cmd
}
