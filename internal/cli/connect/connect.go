package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/claim"
	"partnerguard/internal/cli/child"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
)

// connectFlags say what is consented to.
type connectFlags struct {
	name, clientID, tenant, account, redirect string
	features                                  []string
	model                                     kit.Choice
	noBrowser                                 bool
}

// usualFeatures are those that are switched on when none is named.
var usualFeatures = []capture.Feature{capture.Customers, capture.Forecast}

func addFeatures(cmd *cobra.Command, to *[]string) {
	var all, usual []string
	for _, f := range usualFeatures {
		usual = append(usual, string(f))
	}
	for _, f := range capture.Features() {
		all = append(all, string(f))
	}
	cmd.Flags().StringSliceVar(to, "feature", usual, "what it is to be used for: "+strings.Join(all, ", "))
	_ = cmd.RegisterFlagCompletionFunc("feature", cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp))
}

func parseFeatures(words []string) ([]capture.Feature, error) {
	var out []capture.Feature
	for _, w := range words {
		f := capture.Feature(strings.ToLower(strings.TrimSpace(w)))
		known := false
		for _, k := range capture.Features() {
			known = known || k == f
		}
		if !known {
			return nil, problem.New(problem.Usage, "there is no feature %q", w).WithHint("partnerguard connect --help lists them")
		}
		out = append(out, f)
	}
	return out, nil
}

func newConnect(env *kit.Env) *cobra.Command {
	return kit.Installed(env, func(open func(context.Context) (*app.Installation, error)) *cobra.Command {
		var f connectFlags
		f.model = kit.Choice{Value: string(sam.CSP), Allowed: []string{string(sam.CSP), string(sam.CPV)}}
		output := kit.NewOutput("text", "json")
		cmd := &cobra.Command{
			Use: "connect", Short: "Consent once with MFA; keep the consent sealed, renewed and watched",
			Long: `connect opens your browser and prints the address that it opens, lets a partner account consent with MFA to your app,
verifies that the token carries the MFA claim, and seals the refresh token in the
vault. A token without the claim is refused and not kept. Run it again to heal a
connection that died.

The first time, without an app, it prints the manifest with the least permissions
and the steps to register one. Where the local partner cloud runs and nothing was
connected to a real one, its sample app is used.

What is switched on with --feature decides which permissions are needed; what was
granted beyond that is shown.`,
			Example: `  partnerguard connect
  partnerguard connect --client-id 00000000-0000-0000-0000-000000000000 --tenant contoso.onmicrosoft.com
  partnerguard connect --no-browser --account sam-agent@contoso.com
  partnerguard connect status`,
			Args: kit.Suggest,
			RunE: func(cmd *cobra.Command, _ []string) error {
				features, err := parseFeatures(f.features)
				if err != nil {
					return err
				}
				return kit.Opener(open).With(cmd.Context(), func(s *app.Installation) error {
					return connect(cmd.Context(), env, s, &f, features, output.Value)
				})
			},
		}
		cmd.SuggestionsMinimumDistance = 2
		fl := cmd.Flags()
		fl.StringVar(&f.name, "name", "", "what to call the connection (default the name it has, else the account's domain)")
		fl.StringVar(&f.clientID, "client-id", "", "the app that is consented to (default the only one there is)")
		fl.StringVar(&f.tenant, "tenant", "", "the partner tenant, id or domain (default the app's)")
		fl.StringVar(&f.account, "account", "", "who must sign in (default anybody of the tenant)")
		fl.StringVar(&f.redirect, "redirect", "http://localhost", "one of the app's redirect URIs on this machine")
		fl.BoolVar(&f.noBrowser, "no-browser", false, "print the address and open no browser")
		addFeatures(cmd, &f.features)
		kit.AddChoice(cmd, &f.model, "model", "whose app it is: the partner's own (csp) or a control panel vendor's (cpv)")
		output.Register(cmd)
		cmd.AddCommand(newConnectStatus(env, open), newConnectRenew(env, open), newConnectRemove(env, open), newConnectAccept(env, open),
			newConnectApp(env, open), connectManifest(open), newConnectInvite(env, open))
		return cmd
	})
}

func connect(ctx context.Context, env *kit.Env, s *app.Installation, f *connectFlags, features []capture.Feature, output string) error {
	r, err := s.SAM.Registration(ctx, f.clientID)
	if errors.Is(err, problem.NotFound) && f.clientID == "" {
		if werr := kit.Say(env, func(w io.Writer) error { return firstTime(w, s, f, features, kit.NewPaint(env)) }); werr != nil {
			return werr
		}
		return problem.New(problem.NotFound, "there is no app to consent to yet").WithHint("follow the steps above, then run partnerguard connect again")
	}
	if err != nil {
		return err
	}
	tenant := f.tenant
	if tenant == "" {
		tenant = r.Tenant
	}
	if tenant == "" {
		return problem.New(problem.Usage, "whose tenant?").WithHint("--tenant, its id or domain")
	}
	if f.name != "" { // told before anybody signs in
		d, err := s.API.Discover(ctx, s.Cloud, tenant)
		if err != nil {
			return err
		}
		if err := s.SAM.Store.MayName(ctx, f.name, d.Tenant, r.ClientID); err != nil {
			return err
		}
	}
	client, err := s.SAM.Store.App(ctx, r.ClientID)
	if err != nil {
		return err
	}
	c, err := s.SAM.Capture()
	if err != nil {
		return err
	}
	req := capture.Request{
		Name: f.name, Model: sam.Model(f.model.Value), Cloud: s.Cloud, App: client, Tenant: tenant, Redirect: f.redirect,
		Features: features, Account: f.account, Actor: s.Actor,
	}
	done, err := signIn(ctx, env, s, c, req, f.noBrowser)
	if err != nil {
		return err
	}
	foretell(ctx, s, &done)
	err = kit.WriteOut(env, "", func(w io.Writer) error {
		if output == "json" {
			return print.JSON(w, struct {
				Connection sam.Connection     `json:"connection"`
				Difference capture.Difference `json:"difference"`
				Notes      []string           `json:"notes"`
			}{done.Connection, done.Difference, print.List(done.Notes)})
		}
		return kit.Text(env, func(w io.Writer) error { return connectedText(w, env, s, &done, &r) })(w)
	})
	if err == nil {
		kit.Next(env, "partnerguard connect status; then partnerguard exec --customer DOMAIN -- COMMAND")
	}
	return err
}

// foretell makes the first forecast, so that the status knows from the start
// what could end the connection. The consent is kept whatever comes of it.
func foretell(ctx context.Context, s *app.Installation, done *capture.Done) {
	r, err := s.SAM.Renewer()
	if err != nil {
		return
	}
	if c, err := r.Forecast(ctx, done.Connection.ID); err == nil {
		done.Connection = c
	}
}

// signIn sends the person to the sign-in page and waits for the answer.
func signIn(ctx context.Context, env *kit.Env, s *app.Installation, c *capture.Capture, req capture.Request, noBrowser bool) (capture.Done, error) {
	l, err := c.Listen(ctx, req)
	if err != nil {
		return capture.Done{}, err
	}
	defer l.Close()
	address := s.SAM.Browsable(l.URL)
	// What opens the browser may say that it did and show nobody anything: over a
	// remote shell, in a container, in another person's session.
	how := "Open this address in a browser on this machine and sign in with MFA:"
	if !noBrowser && openBrowser(ctx, env, address) == nil {
		how = "Your browser opens this address; where it does not, open it on this machine. Sign in with MFA there:"
	}
	fmt.Fprintf(env.Stderr, "%s\n\n  %s\n\n", how, address)
	fmt.Fprintf(env.Stderr, "Waiting until %s; Ctrl-C gives up.\n", l.Until.Local().Format(time.TimeOnly))
	return l.Wait(ctx)
}

// openBrowser opens an address in the person's browser. PARTNERGUARD_BROWSER
// names another program for it.
func openBrowser(ctx context.Context, env *kit.Env, address string) error {
	words := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}}[runtime.GOOS]
	if words == nil {
		words = []string{"xdg-open"}
	}
	if own := env.Getenv("PARTNERGUARD_BROWSER"); own != "" {
		words = []string{own}
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return err
	}
	// The address holds a state and a challenge, no secret that a list of
	// processes could give away: the code alone is worth nothing without PKCE.
	browser := exec.CommandContext(context.WithoutCancel(ctx), path, append(words[1:], address)...)
	if err := child.KeepClosed(); err != nil {
		return err
	}
	if err := browser.Start(); err != nil {
		return err
	}
	go func() { _ = browser.Wait() }()
	return nil
}

// tell prints the lines of one subject, their values in a column.
func tell(w io.Writer, lines ...[2]string) {
	widest := 0
	for _, l := range lines {
		if l[1] != "" {
			widest = max(widest, len(l[0]))
		}
	}
	for _, l := range lines {
		if l[1] != "" {
			fmt.Fprintf(w, "  %-*s  %s\n", widest, l[0], l[1])
		}
	}
}

func connectedText(w io.Writer, env *kit.Env, s *app.Installation, d *capture.Done, r *sam.Registration) error {
	p := kit.NewPaint(env)
	c := &d.Connection
	fmt.Fprintf(w, "%s %s\n\n", p.Wrap("32", "✓"), p.Bold("Connected: "+print.Clean(c.Name, 100)))
	by := string(c.Proof.Answer)
	if len(c.Proof.By) > 0 {
		by += ", with " + strings.Join(claim.Methods(c.Proof.By), " and ")
	}
	tell(w,
		[2]string{"account", print.Clean(c.Account, 200)},
		[2]string{"tenant", print.Clean(c.Tenant, 100)},
		[2]string{"app", print.Clean(r.Name, 100) + "  " + c.ClientID},
		[2]string{"MFA", print.Clean(by, 200)},
		[2]string{"credential", credentialWords(r, s.Now())},
		[2]string{"renewed", "every " + days(s.Config.Renew.Every) + ", next " + kit.Until(c.RenewAfter, s.Now())},
	)
	differs := func(what string, by map[string][]string) {
		for _, resource := range slices.Sorted(maps.Keys(by)) {
			list := print.Clean(strings.Join(by[resource], ", "), 4000)
			fmt.Fprintf(w, "\n%s %s at %s:\n    %s\n", p.Wrap("33", "!"), what, print.Clean(resource, 200),
				strings.Join(kit.Wrap(list, max(kit.Width(env)-4, 40)), "\n    "))
		}
	}
	differs("missing", d.Difference.Missing)
	differs("more than the features need", d.Difference.More)
	for _, n := range d.Notes {
		fmt.Fprintf(w, "\n%s %s\n", p.Wrap("33", "!"), print.Clean(n, 400))
	}
	if r.Kind == msapi.ClientSecret {
		fmt.Fprintf(w, "\n%s the app proves itself by a secret: a certificate cannot be copied out of a script.\n    partnerguard connect app "+
			"certificate --client-id %s\n", p.Wrap("33", "!"), r.ClientID)
	}
	return nil
}

func days(d time.Duration) string {
	if n := d.Hours() / 24; n != 1 {
		return fmt.Sprintf("%.4g days", n)
	}
	return "day"
}

func credentialWords(r *sam.Registration, now time.Time) string {
	s := string(r.Kind)
	if r.Thumbprint != "" {
		s += " " + r.Thumbprint[:min(16, len(r.Thumbprint))]
	}
	if !r.NotAfter.IsZero() {
		s += ", until " + kit.Until(r.NotAfter, now)
	}
	return s
}

// firstTime shows how to register an app.
func firstTime(w io.Writer, s *app.Installation, f *connectFlags, features []capture.Feature, p kit.Paint) error {
	m := capture.Permissions(features)
	b, err := m.JSON(f.redirect)
	if err != nil {
		return err
	}
	tenant := f.tenant
	if tenant == "" {
		tenant = "TENANT"
	}
	fmt.Fprintf(w, "%s\n\n", p.Bold("No app yet: register one with the least permissions"))
	fmt.Fprintf(w, "1. In the partner tenant, register an app (Entra admin center, App registrations, New) and put\n   this into its manifest:\n\n%s\n\n",
		indent(string(b), "   "))
	fmt.Fprintf(w, "2. Let partnerguard make its certificate, and upload what it prints under Certificates & secrets:\n\n   partnerguard connect app "+
		"certificate --client-id CLIENT-ID --tenant %s --out partnerguard.pem\n\n", tenant)
	fmt.Fprintf(w, "3. Let an administrator consent for the tenant:\n\n   %s\n\n", capture.AdminConsentURL(s.Cloud, tenant, "CLIENT-ID", f.redirect))
	again := ""
	if !slices.Equal(features, usualFeatures) {
		words := make([]string, len(features))
		for i, f := range features {
			words[i] = string(f)
		}
		again = " --feature " + strings.Join(words, ",")
	}
	fmt.Fprintf(w, "4. Consent with MFA as the account that is to act, an Admin Agent in the GDAP groups:\n\n   partnerguard connect --client-id "+
		"CLIENT-ID%s\n\n", again)
	return nil
}

func indent(s, by string) string {
	return by + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+by)
}
