package guard

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/queue"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// newBridge makes the mail bridge's commands. Its --config names bridge.yaml; the
// installation's settings are named by --settings here.
func newBridge(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var file string
	cmd := &cobra.Command{
		Use: "bridge", Short: "Let old mail clients go on: SMTP, IMAP and POP3 in front, modern authentication behind", Args: kit.NoWords,
		Long: `bridge runs until it is interrupted. Devices and programs that know no modern
authentication send mail to it (SMTP submission) and read it (IMAP, POP3) with a password
of their own (partnerguard apppassword create); it signs in to Exchange Online with
XOAUTH2 and the tokens of your connections. What it took to send is kept, sealed, until
Exchange Online has it or its sender was told; nothing else of a message is kept.

It proves no second factor: each device is bounded by one mailbox, its protocols, the
addresses it comes from and its end. partnerguard serve runs it too, where the setting
bridgeConfig names the file; one process has the queue at a time.`,
		Example: `  partnerguard bridge check --config bridge.yaml
  partnerguard bridge --config bridge.yaml
  partnerguard apppassword create --device "Scanner, second floor" --mailbox scans@contoso.example --protocols smtp --from 192.0.2.17`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := bridgeFile(file)
			if err != nil {
				return err
			}
			in.Logging = true
			ctx := cmd.Context()
			return kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) }).With(ctx, func(s *app.Installation) error {
				where, err := s.StartBridge(ctx, f)
				if err != nil {
					return err
				}
				for _, w := range where {
					fmt.Fprintf(env.Stdout, "The mail bridge listens: %s on %s (%s)\n", strings.ToUpper(w.Protocol), w.Addr, tlsWord(w.TLS))
				}
				<-ctx.Done()
				return nil
			})
		},
	}
	in.RegisterAs(cmd, "settings")
	cmd.PersistentFlags().StringVar(&file, "config", "", "the bridge's file (required)")
	_ = cmd.MarkPersistentFlagFilename("config", "yaml", "yml")
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	cmd.AddCommand(newBridgeCheck(env, &file), newBridgeQueue(env, open))
	return cmd
}

func bridgeFile(path string) (*bridge.File, error) {
	if path == "" {
		return nil, problem.New(problem.Usage, "which file? --config names the bridge's").WithHint("docs/bridge.md has one to begin with: --config bridge.yaml")
	}
	return bridge.ReadFile(path)
}

func tlsWord(how string) string {
	switch how {
	case bridge.StartTLS:
		return "with STARTTLS"
	case bridge.Implicit:
		return "over TLS"
	}
	return "WITHOUT TLS: passwords and mail can be read on its wire"
}

// bridgeSaid is what check says of a file.
type bridgeSaid struct {
	Name     string   `json:"name"`
	Listen   []string `json:"listen"`
	Upstream []string `json:"upstream"`
	Names    []string `json:"certificateNames"`
	Ends     string   `json:"certificateEnds"`
	Limits   []string `json:"limits"`
	Warnings []string `json:"warnings"`
}

func newBridgeCheck(env *kit.Env, file *string) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "check", Short: "Say what a bridge's file means, and what is wrong with it", Args: kit.NoWords,
		Long: `check reads the bridge's file and its certificate, and says what the bridge would do.
It listens nowhere, asks nobody, and opens neither database nor vault.`,
		Example: "  partnerguard bridge check --config bridge.yaml",
		RunE: func(*cobra.Command, []string) error {
			f, err := bridgeFile(*file)
			if err != nil {
				return err
			}
			said, err := explain(f, env.Now())
			if err != nil {
				return err
			}
			return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
				fmt.Fprintf(w, "The bridge %s is well described.\n", print.Clean(said.Name, 120))
				for _, part := range []struct {
					head string
					list []string
				}{{"It listens", said.Listen}, {"It sends and reads at", said.Upstream}, {"Limits", said.Limits}, {"Look at", said.Warnings}} {
					if len(part.list) > 0 {
						fmt.Fprintln(w, p.Bold(part.head+":"))
					}
					for _, l := range part.list {
						fmt.Fprintln(w, "  "+print.Clean(l, 300))
					}
				}
				return nil
			})
		},
	}
	output.Register(cmd)
	return cmd
}

// explain says what a file means.
func explain(f *bridge.File, now time.Time) (*bridgeSaid, error) {
	s := &bridgeSaid{Name: f.Name, Listen: []string{}, Warnings: []string{}, Names: []string{}}
	for _, l := range f.Listen {
		from := ""
		if len(l.From) > 0 {
			from = ", from " + strings.Join(l.From, " ")
		}
		s.Listen = append(s.Listen, fmt.Sprintf("%s on %s, %s%s", strings.ToUpper(l.Protocol), l.At, tlsWord(l.TLS), from))
		if l.TLS == bridge.NoTLS {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s on %s takes passwords without TLS: keep that network to the devices", strings.ToUpper(l.Protocol), l.At))
		}
	}
	s.Upstream = []string{"SMTP " + f.Upstream.SMTP, "IMAP " + f.Upstream.IMAP, "POP3 " + f.Upstream.POP3}
	s.Limits = []string{fmt.Sprintf("%d bytes and %d recipients a message", f.Limits.MessageBytes, f.Limits.Recipients),
		fmt.Sprintf("%d messages a minute and %d recipients a day of a mailbox", f.Limits.PerMinute, f.Limits.PerDay),
		fmt.Sprintf("%d messages and %d bytes wait at most, each for %s; then its sender and %s are told", f.Queue.Messages, f.Queue.Bytes, f.Queue.GiveUp, f.Owner)}
	if f.Certificate == "" {
		return s, nil
	}
	pair, err := f.Pair()
	if err != nil {
		return nil, err
	}
	leaf := pair.Leaf
	s.Names, s.Ends = append(s.Names, leaf.DNSNames...), leaf.NotAfter.UTC().Format(time.DateOnly)
	switch {
	case now.After(leaf.NotAfter) || now.Before(leaf.NotBefore):
		s.Warnings = append(s.Warnings, "the certificate is valid from "+leaf.NotBefore.UTC().Format(time.DateOnly)+" to "+s.Ends+", and not now")
	case leaf.NotAfter.Sub(now) < 14*24*time.Hour:
		s.Warnings = append(s.Warnings, "the certificate ends on "+s.Ends)
	}
	if err := leaf.VerifyHostname(f.Name); err != nil {
		s.Warnings = append(s.Warnings, "the certificate is not for "+f.Name+": devices that verify it will refuse it")
	}
	return s, nil
}

func newBridgeQueue(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "queue", Short: "Show what waits to be sent, and why", Args: kit.NoWords,
		Long: `queue shows the messages that the bridge took and Exchange Online does not have yet:
whose they are, for how many recipients, how often they were tried and why they wait.
Nothing of a message itself is shown.`,
		Example: "  partnerguard bridge queue\n  partnerguard bridge queue --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				items, err := s.Bridge.Waiting(cmd.Context())
				if err != nil && items == nil {
					return err
				}
				aerr := output.Answer(env, map[string]any{"waiting": print.List(items)}, func(w io.Writer, p kit.Paint) error {
					if len(items) == 0 {
						fmt.Fprintln(w, "Nothing waits.")
						return nil
					}
					type row = queue.Item
					kit.Table(w, p, items,
						kit.Col("id", func(i *row) string { return i.ID }),
						kit.Col("mailbox", func(i *row) string { return i.Mailbox }),
						kit.Col("to", func(i *row) string { return fmt.Sprint(len(i.Recipients)) }),
						kit.Col("bytes", func(i *row) string { return fmt.Sprint(i.Size) }),
						kit.Col("since", func(i *row) string { return i.Made.UTC().Format("2006-01-02 15:04") }),
						kit.Col("tries", func(i *row) string { return fmt.Sprint(i.Tries) }),
						kit.Col("next", func(i *row) string { return i.Next.UTC().Format("15:04") }),
						kit.Col("why", func(i *row) string { return i.Reason }))
					return nil
				})
				if aerr != nil {
					return aerr
				}
				return err
			})
		},
	}
	output.Register(cmd)
	return cmd
}
