package connect

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"partnerguard/internal/claim"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// maxTokenInput bounds what token check reads: a token and the answer it came
// in, which may hold two more.
const maxTokenInput = 4 * claim.MaxSize

// newTokenCheck makes "token check". live signs a person in and gives a fresh
// token; nil leaves --live out. It is long because most of it is the help text.
func newTokenCheck(env *kit.Env, live func(context.Context, *cobra.Command) (secret.Text, error)) *cobra.Command {
	var (
		issuers []string
		fresh   bool
		output  = kit.NewOutput("text", "json")
	)
	cmd := &cobra.Command{
		Use: "check", Short: "Say whether a token proves MFA, and why not",
		Long: `token check reads one access token from standard input and says whether it
proves MFA: proven and by what, not proven, or cannot tell (a version 2 token
without amr, an app's own token, one that cannot be read), with the reason and
what to do. It tells the three failures of a third-party MFA apart: no claim at
all, a claim without mfa, and a token from another issuer.

The token may have white space around it, "Bearer " before it, quotes, or be the
access_token of a JSON answer. It is never taken from the command line, where it
would stay in the history, and no part of it is printed. Its signature is not
checked: the answer is what the token says.

Exit code 0 says proven, 3 not proven or cannot tell.`,
		Example: `  partnerguard token check < token.txt
  az account get-access-token --resource https://api.partnercenter.microsoft.com | partnerguard token check
  pbpaste | partnerguard token check --output json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return problem.New(problem.Usage, "%s takes no argument", cmd.CommandPath()).
				WithHint("give the token on standard input: %s < FILE; what was typed as an argument is in the shell's history now and was seen by "+
					"others on this machine: revoke it if it was a token", cmd.CommandPath())
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, i := range issuers {
				if u, err := url.Parse(i); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
					return problem.New(problem.Usage, "--issuer is not an address").
						WithHint("it is how iss begins, e.g. --issuer https://login.microsoftonline.com/")
				}
			}
			var raw secret.Text
			var how string
			var err error
			if fresh {
				raw, err = live(cmd.Context(), cmd)
			} else {
				raw, how, err = readToken(env)
			}
			if err != nil {
				return err
			}
			now := env.Now().UTC()
			t := claim.Inspect(raw)
			if how != "" {
				t.Notes = append(t.Notes, how)
			}
			v := t.MFA(claim.Options{Now: now, Issuers: append(claim.Issuers(), issuers...)})
			err = output.Write(env, kit.Forms{
				"text": func(w io.Writer) error {
					return tokenText(w, t, v, now, print.Options{Width: kit.Width(env), Color: kit.Colour(env)})
				},
				"json": func(w io.Writer) error { return tokenJSON(w, t, v) },
			})
			if err != nil || v.Answer == claim.Proven {
				return err
			}
			return problem.New(problem.Unmet, "MFA: %s", strings.ToLower(string(v.Answer)))
		},
	}
	// cobra's words repeat what was typed, which may be a token.
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if errors.Is(err, context.Canceled) {
			return err
		}
		return problem.New(problem.Usage, "a flag is unknown or has a value it does not take; it is not repeated here in case it is a token").
			WithHint("%s --help lists the flags", cmd.CommandPath())
	})
	cmd.Flags().StringArrayVar(&issuers, "issuer", nil, "how the issuer may begin, besides those of the Microsoft clouds; may be repeated")
	if live != nil {
		cmd.Flags().BoolVar(&fresh, "live", false, "sign in now and check the token that comes of it")
	}
	output.Register(cmd)
	return cmd
}

// readToken takes the token out of standard input, and says how when it was
// wrapped in something.
func readToken(env *kit.Env) (secret.Text, string, error) {
	if f, ok := env.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return secret.Text{}, "", problem.New(problem.Usage, "the token is read from standard input, and that is the terminal").
			WithHint("pipe it in: partnerguard token check < FILE; a token that is pasted here would stay on the screen")
	}
	b, err := io.ReadAll(io.LimitReader(env.Input(), maxTokenInput+1))
	switch {
	case errors.Is(err, context.Canceled):
		return secret.Text{}, "", err
	case err != nil:
		return secret.Text{}, "", problem.Wrap(err, problem.BadInput, "standard input could not be read")
	case len(b) > maxTokenInput:
		return secret.Text{}, "", problem.New(problem.Limit, "standard input is longer than %d KiB, which no token is", maxTokenInput>>10)
	}
	s, how := unwrapToken(plainText(b))
	if s == "" && how != "" {
		return secret.Text{}, "", problem.New(problem.BadInput, "%s", how).WithHint("hand in the access token itself, or an answer that holds access_token")
	}
	if s == "" {
		return secret.Text{}, "", problem.New(problem.BadInput, "standard input is empty").WithHint("pipe a token in: partnerguard token check < FILE")
	}
	return secret.New(s), how, nil
}

// plainText brings what a Windows shell writes to a file to UTF-8.
func plainText(b []byte) string {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return string(bytes.TrimPrefix(b, []byte("\ufeff")))
	}
	var units []uint16
	for b = b[2:]; len(b) > 1; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	return string(utf16.Decode(units))
}

// unwrapToken takes off what people hand in around a token.
func unwrapToken(s string) (token, how string) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, `"`) {
		var inner string
		if json.Unmarshal([]byte(s), &inner) == nil {
			return bare(inner), ""
		}
	}
	if !strings.HasPrefix(s, "{") {
		return bare(s), ""
	}
	var answer map[string]any
	if json.Unmarshal([]byte(s), &answer) != nil {
		return "", "standard input begins like JSON and is not"
	}
	// As the token endpoint, the Azure CLI, Azure PowerShell and the Partner
	// Center module write it.
	for _, name := range []string{"access_token", "accessToken", "AccessToken", "Token", "token"} {
		if t, ok := answer[name].(string); ok && t != "" {
			return bare(t), "the " + name + " of a JSON answer was read"
		}
	}
	return "", "the JSON on standard input holds no access_token"
}

func bare(s string) string {
	s = strings.TrimSpace(s)
	for _, prefix := range []string{"authorization:", "bearer "} {
		if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
			s = strings.TrimSpace(s[len(prefix):])
		}
	}
	return s
}

// tokenText writes the verdict for a person. Claims are shown, the token is not.
func tokenText(w io.Writer, t claim.Token, v claim.Verdict, now time.Time, o print.Options) error {
	p := print.NewScreen(w, o)
	head, style := "MFA: proven", print.Green
	switch v.Answer {
	case claim.NotProven:
		head, style = "MFA: not proven", print.Red
	case claim.CannotTell:
		head, style = "MFA: cannot tell", print.Yellow
	}
	if v.Cause != "" {
		head += " (" + string(v.Cause) + ")"
	}
	p.Para("", head, style.Strong())
	p.Para("Why:   ", v.Reason+".", print.Plain)
	if v.Fix != "" {
		p.Para("To do: ", v.Fix+".", print.Plain)
	}
	if !t.Opaque {
		p.Blank()
		for _, row := range tokenRows(t, v, now) {
			if row[1] != "" {
				p.Para(fmt.Sprintf("  %-13s", row[0]), print.Clean(row[1], print.MaxSaying), print.Plain)
			}
		}
		p.Blank()
		for _, n := range t.Notes {
			p.Para("Note: ", n+".", print.Dim)
		}
		p.Para("Note: ", "the signature was not checked; this is what the token says.", print.Dim)
	}
	return p.Flush()
}

func tokenRows(t claim.Token, v claim.Verdict, now time.Time) [][2]string {
	signed, until := "", ""
	if !t.AuthTime.IsZero() {
		if signed = print.When(t.AuthTime); v.Age != claim.UnknownAge {
			signed += ", " + ageWords(v.Age) + " ago"
		}
	}
	if !t.NotAfter.IsZero() {
		if until = print.When(t.NotAfter); !now.Before(t.NotAfter) {
			until += ", which is over"
		}
	}
	return [][2]string{
		{"account", t.Account}, {"signed in", signed}, {"amr", strings.Join(t.AMR, ", ")}, {"contexts", strings.Join(t.ACRS, ", ")},
		{"issuer", t.Issuer}, {"tenant", t.Tenant}, {"app", t.App}, {"for", strings.Join(t.Audience, ", ")}, {"version", t.Version}, {"valid until", until},
	}
}

func ageWords(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return print.Plural(int64(d/time.Minute), "minutes")
	case d < 48*time.Hour:
		return print.Plural(int64(d/time.Hour), "hours")
	}
	return print.Plural(int64(d/(24*time.Hour)), "days")
}

// TokenCheckSchema names the form of token check's JSON.
const TokenCheckSchema = "partnerguard.token-check/1"

func tokenJSON(w io.Writer, t claim.Token, v claim.Verdict) error {
	t.Nonce = "" // binds a request; nobody needs to see it
	notes := t.Notes
	t.Notes = nil
	var age *int64
	if v.Age != claim.UnknownAge {
		seconds := int64(v.Age / time.Second)
		age = &seconds
	}
	return print.JSON(w, struct {
		Schema string       `json:"schema"`
		Answer claim.Answer `json:"answer"`
		Cause  claim.Cause  `json:"cause,omitempty"`
		By     []string     `json:"by"`
		Reason string       `json:"reason"`
		Fix    string       `json:"fix,omitempty"`
		Age    *int64       `json:"ageSeconds,omitempty"`
		Notes  []string     `json:"notes"`
		Token  claim.Token  `json:"token"`
	}{TokenCheckSchema, v.Answer, v.Cause, print.List(v.By), v.Reason, v.Fix, age, print.List(notes), t})
}
