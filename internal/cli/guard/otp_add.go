package guard

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/factor"
	"partnerguard/internal/otp"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// otpSource is where a new seed comes from.
type otpSource struct {
	name, qr, secret string
	issuer, account  string
	algorithm        string
	digits, period   int
}

func newOTPAdd(env *kit.Env, f *otpFile) *cobra.Command {
	var src otpSource
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "add", Short: "Take a seed: an otpauth address, a QR picture or a secret key",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			// What was given is not quoted: it may be the seed.
			return problem.New(problem.Usage, "otp add takes no argument: what is typed there stays in the shell's history, where others find it").
				WithHint("if it was the seed, have the page make another; then run otp add alone, and paste it when you are asked")
		},
		Long: `add asks for the otpauth:// address that the QR picture of a registration page holds,
without showing it, or reads it from standard input. --qr reads it out of a picture of
the page; --secret - takes the secret key that the page shows beside the picture (in
Microsoft's words: "Can't scan image?"). Afterwards the seed is never shown again, so
finish the registration with the code that is printed.`,
		Example: `  partnerguard otp add
  partnerguard otp add --qr picture.png --name work
  partnerguard otp add --secret - --issuer Contoso --account ada@contoso.example`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.store(env)
			if err != nil {
				return err
			}
			e, err := src.read(env)
			if err != nil {
				return err
			}
			var got otp.Entry
			var code otp.Code
			err = s.Change(cmd.Context(), true, func(b *otp.Book) (err error) {
				if got, err = b.Add(e, src.name, env.Now()); err == nil {
					code, err = b.Code(got, env.Now())
				}
				return err
			})
			if err != nil {
				return err
			}
			said := struct {
				otpRow
				Code string `json:"code"`
				Left int    `json:"validFor"` // seconds
			}{rowOf(code), code.Code.Reveal(), seconds(code.Left)} // to whom registers it, now
			return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
				fmt.Fprintf(w, "Added: %s\n", print.Clean(got.Name, 120))
				fmt.Fprintf(w, "Its code now: %s (for %d s)\n", grouped(said.Code), said.Left)
				if src.qr != "" {
					fmt.Fprintln(w, p.Dim("The picture still holds the seed: delete "+print.Clean(src.qr, 200)))
				}
				return nil
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&src.name, "name", "", "what to call it (default its issuer and account)")
	fl.StringVar(&src.qr, "qr", "", "a picture with the QR code: PNG, JPEG or GIF")
	fl.StringVar(&src.secret, "secret", "", "- asks for the secret key alone, or reads it from standard input")
	fl.StringVar(&src.issuer, "issuer", "", "with --secret: who gave it")
	fl.StringVar(&src.account, "account", "", "with --secret: for whom")
	fl.StringVar(&src.algorithm, "algorithm", "SHA1", "with --secret: SHA1, SHA256 or SHA512")
	fl.IntVar(&src.digits, "digits", factor.UsualDigits, "with --secret: 6 to 8")
	fl.IntVar(&src.period, "period", factor.UsualPeriod, "with --secret: seconds, 1 to 300")
	_ = cmd.MarkFlagFilename("qr", "png", "jpg", "jpeg", "gif")
	cmd.MarkFlagsMutuallyExclusive("qr", "secret")
	output.Register(cmd)
	return cmd
}

func (s *otpSource) read(env *kit.Env) (factor.Entry, error) {
	switch s.secret {
	case "":
	case "-":
		return s.readSecret(env)
	default:
		return factor.Entry{}, problem.New(problem.Usage, "--secret takes - alone: what is typed there stays in the shell's history, where others find it").
			WithHint("if it was the seed, have the page make another; then say --secret - and paste it when you are asked")
	}
	var text secret.Text
	var err error
	if s.qr != "" {
		text, err = readPicture(s.qr)
	} else {
		text, err = kit.ReadSecret(env, "-")
	}
	if err != nil {
		return factor.Entry{}, err
	}
	e, err := factor.ReadURI(text)
	if err != nil && s.qr != "" {
		if p, perr := factor.ReadPayload(text); perr == nil && p.Parts > 0 {
			return e, problem.New(problem.Usage, "the picture moves accounts of another application").WithHint("partnerguard otp import %s takes them all", s.qr)
		}
	}
	return e, err
}

func (s *otpSource) readSecret(env *kit.Env) (e factor.Entry, err error) {
	typed, err := kit.ReadSecret(env, "-")
	if err != nil {
		return e, err
	}
	e = factor.Entry{Issuer: s.issuer, Account: s.account, Seed: factor.Seed{Digits: s.digits, Period: s.period}}
	if e.Seed.Secret, err = factor.ReadSecret(typed); err != nil {
		return e, err
	}
	if e.Seed.Algorithm, err = factor.ReadAlgorithm(s.algorithm); err != nil {
		return e, err
	}
	return e, e.Seed.Check()
}

func readPicture(path string) (secret.Text, error) {
	raw, err := readBounded(path, otp.MaxPicture)
	if err != nil {
		return secret.Text{}, err
	}
	return otp.ReadPicture(raw)
}

func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "the file %s cannot be read%s", path, problem.Reason(err))
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the file %s cannot be read%s", path, problem.Reason(err))
	}
	return raw, nil
}

func newOTPImport(env *kit.Env, f *otpFile) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "import FILE|-", Short: "Take the seeds of another application's export",
		Args: kit.Between(1, 1, problem.New(problem.Usage, "otp import takes one file, or - for standard input").WithHint("partnerguard otp import export.json")),
		Long: `import reads lines of otpauth:// addresses, exports of Aegis, andOTP, 2FAS and Bitwarden
(JSON), of Bitwarden and KeePassXC (CSV), of KeePass (XML), and the pictures or addresses
(otpauth-migration://) with which Google Authenticator moves accounts. Encrypted exports
are not opened. What cannot be taken is named, and the rest is taken.`,
		Example: `  partnerguard otp import aegis-export.json
  partnerguard otp import moved.png
  gpg --decrypt codes.txt.gpg | partnerguard otp import - --key passphrase-file:/run/secrets/otp`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := f.store(env)
			if err != nil {
				return err
			}
			p, err := readPayload(env, args[0])
			if err != nil {
				return err
			}
			var taken []otp.Entry
			var left []factor.Left
			if err := s.Change(cmd.Context(), true, func(b *otp.Book) error { taken, left = b.Import(p, env.Now()); return nil }); err != nil {
				return err
			}
			return tellImport(env, &output, args[0], p, taken, left)
		},
	}
	output.Register(cmd)
	return cmd
}

func readPayload(env *kit.Env, path string) (factor.Payload, error) {
	var raw []byte
	var err error
	if path == "-" {
		raw, err = io.ReadAll(io.LimitReader(env.Input(), otp.MaxPicture+1))
	} else {
		raw, err = readBounded(path, otp.MaxPicture)
	}
	if err != nil {
		return factor.Payload{}, err
	}
	defer clear(raw)
	if otp.IsPicture(raw) {
		text, err := otp.ReadPicture(raw)
		if err != nil {
			return factor.Payload{}, err
		}
		return factor.ReadPayload(text)
	}
	return factor.ReadPayload(secret.New(string(raw)))
}

func tellImport(env *kit.Env, output *kit.Output, path string, p factor.Payload, taken []otp.Entry, left []factor.Left) error {
	type leftRow struct {
		Name string `json:"name"`
		Why  string `json:"why"`
	}
	names, lefts := []string{}, []leftRow{}
	for i := range taken {
		names = append(names, taken[i].Name)
	}
	for _, l := range left {
		lefts = append(lefts, leftRow{l.Name, l.Why})
	}
	v := map[string]any{"format": p.Format, "taken": names, "left": lefts}
	if p.Parts > 1 {
		v["part"], v["parts"] = p.Part, p.Parts
	}
	return output.Answer(env, v, func(w io.Writer, pt kit.Paint) error {
		fmt.Fprintf(w, "%s: %s taken, %d left out\n", p.Format, kit.Plural(len(names), "one-time password", "one-time passwords"), len(lefts))
		for _, n := range names {
			fmt.Fprintf(w, "  taken     %s\n", print.Clean(n, 120))
		}
		for _, l := range lefts {
			fmt.Fprintf(w, "  left out  %s: %s\n", print.Clean(l.Name, 120), print.Clean(l.Why, 300))
		}
		if p.Parts > 1 {
			fmt.Fprintf(w, "This was part %d of %d; import the others too.\n", p.Part, p.Parts)
		}
		if path != "-" {
			fmt.Fprintln(w, pt.Dim("The export still holds the seeds, open to whoever reads it: delete "+print.Clean(path, 200)))
		}
		return nil
	})
}

// seconds are whole ones that are left, never more than there are.
func seconds(d time.Duration) int { return int(d / time.Second) }

// grouped writes a code as people read it out.
func grouped(code string) string {
	switch len(code) {
	case 6:
		return code[:3] + " " + code[3:]
	case 8:
		return code[:4] + " " + code[4:]
	}
	return code
}
