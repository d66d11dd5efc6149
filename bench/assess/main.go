// Command assess judges a whole tenant folder end to end on one core, and prints the
// processor time of each part beside the whole: the fold of its sign-ins alone, and each
// other part alone.
//
//	go run .            300,000 sign-ins and 100,000 users, a minute
//	go run . -smoke     small, seconds
//	go run . -log FILE  with the sign-ins of a file that is there
//
// PARTNERGUARD_BENCH_PROFILE names a file for the processor profile of the whole.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/app"
	"partnerguard/internal/assess"
	"partnerguard/internal/assess/render"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/fold"
	"partnerguard/internal/signin/read"
)

// whole is the size of the tenant that is judged end to end.
type whole struct{ events, users, groups, policies int }

func main() {
	smoke := flag.Bool("smoke", false, "a small folder, to see that all of it is read")
	log := flag.String("log", "", "a file of sign-ins (default: generated)")
	flag.Parse()
	w := whole{300_000, 100_000, 2_000, 200}
	if *smoke {
		w = whole{5_000, 2_000, 100, 20}
	}
	if err := assessed(*log, w); err != nil {
		fmt.Fprintln(os.Stderr, "assess:", err)
		os.Exit(1)
	}
}

// assessed writes the folder, judges it and prints the table.
func assessed(log string, w whole) error {
	dir, err := os.MkdirTemp("", "partnerguard-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if log == "" { // the generator is the one of the fold's own table
		log = filepath.Join(dir, "signins.jsonl")
		cmd := exec.Command("go", "run", ".", "-write", "-events", strconv.Itoa(w.events), "-dir", dir)
		cmd.Dir, cmd.Stderr = "..", os.Stderr
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	tenant := filepath.Join(dir, "tenant")
	if err := w.write(tenant); err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	parts, err := w.parts(dir, tenant, log)
	if err != nil {
		return err
	}
	total := parts[0].took
	fmt.Printf("%d users, %d groups, %d policies; sign-ins of %s; one core, %s\n\n", w.users, w.groups, w.policies, log, runtime.Version())
	t := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "processor ms\tof the whole\t\t")
	for _, p := range parts {
		fmt.Fprintf(t, "%d\t%.1f %%\t%s\t\n", p.took.Milliseconds(), 100*p.took.Seconds()/total.Seconds(), p.name)
	}
	return t.Flush()
}

// part is a step and the processor time it took.
type part struct {
	name string
	took time.Duration
}

// parts measures the whole, then each step by itself.
func (w whole) parts(dir, tenant, log string) (out []part, err error) {
	ctx, now := context.Background(), time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	step := func(name string, do func() error) {
		if err != nil {
			return
		}
		runtime.GC()
		start := processor()
		err = do()
		out = append(out, part{name, processor() - start})
	}
	var report *assess.Report
	step("assess, end to end", func() error {
		return profiled(func() (err error) {
			report, err = app.Assess(ctx, app.Reading{From: []string{tenant, log}, At: now, Now: now},
				app.Question{AsOf: now, Now: now, Kind: partner.DirectBill, Cloud: partner.Public})
			if err == nil {
				err = render.HTML(io.Discard, report)
			}
			return err
		})
	})
	step("the fold of the sign-ins alone", func() error { return folded(ctx, log) })
	var f *facts.Facts
	step("reading the directory, sign-ins left out", func() (err error) {
		f, err = app.Read(ctx, app.Reading{From: []string{tenant}, At: now, Now: now}, nil)
		return err
	})
	step("reading all, without a replay", func() (err error) {
		f, err = app.Read(ctx, app.Reading{From: []string{tenant, log}, At: now, Now: now}, nil)
		return err
	})
	var t *access.Tenant
	step("bringing the facts to a tenant", func() error { t = f.Tenant(); return nil })
	var e *access.Engine
	step("compiling its settings", func() error { e = access.Compile(t); return nil })
	step("proving every question", func() error {
		for _, q := range access.Questions() {
			if _, err := e.Prove(q); err != nil {
				return err
			}
		}
		return nil
	})
	step("judging, proofs with it", func() error {
		if r := assess.Assess(f, assess.Options{AsOf: now, Kind: partner.DirectBill, Cloud: partner.Public, Engine: e}); len(r.Accounts) < w.users {
			return fmt.Errorf("implausible: %d accounts", len(r.Accounts))
		}
		return nil
	})
	step("rendering HTML", func() error { return render.HTML(io.Discard, report) })
	step("rendering JSON", func() error { return render.JSON(io.Discard, report) })
	step("rendering the CSV of accounts", func() error { return render.AccountsCSV(io.Discard, report) })
	if err == nil && (f.SignIns == nil || f.SignIns.Reasons[signin.ReasonPromptCompleted] == 0 || len(f.Directory.Users) < w.users) {
		err = fmt.Errorf("implausible: %d users read from %s", len(f.Directory.Users), dir)
	}
	return out, err
}

// folded folds the sign-ins as the program does.
func folded(ctx context.Context, path string) error {
	r, err := os.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	f := fold.New(fold.Options{Scratch: scratch{}})
	if _, err := read.ReadLines(ctx, r, read.Lines{Path: path}, f); err != nil {
		return err
	}
	_, err = f.Finish(ctx, nil)
	return err
}

// scratch is what the program gives the fold: a file that has no name.
type scratch struct{}

func (scratch) Create() (fold.File, error) {
	f, err := os.CreateTemp("", "partnerguard-scratch")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// profiled does the work, with a processor profile into the file that
// PARTNERGUARD_BENCH_PROFILE names.
func profiled(work func() error) error {
	path := os.Getenv("PARTNERGUARD_BENCH_PROFILE")
	if path == "" {
		return work()
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return work()
}

// processor is the processor time that this process took so far.
func processor() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func writeAll(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	if err := write(out); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// account is the id that the generated sign-ins give an account.
func account(n int) string { return fmt.Sprintf("%08x-1111-4111-8111-%012x", uint32(n*7919), n) }

const globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"

// write writes the directory as Graph exports it, one file a list.
func (w whole) write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	list := func(name, context string, n int, item func(out io.Writer, i int)) error {
		return writeAll(filepath.Join(dir, name), func(out io.Writer) error {
			fmt.Fprintf(out, `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#%s","value":[`, context)
			for i := range n {
				if i > 0 {
					fmt.Fprint(out, ",\n")
				}
				item(out, i)
			}
			_, err := fmt.Fprintln(out, "]}")
			return err
		})
	}
	r := rand.New(rand.NewPCG(21, uint64(w.users)))
	group := func(n int) string { return fmt.Sprintf("%08x-2222-4222-8222-%012x", n, n) }
	lists := []struct {
		name, context string
		n             int
		item          func(io.Writer, int)
	}{
		{"users.json", "users(id,userPrincipalName,displayName,userType,accountEnabled,creationType,externalUserState,onPremisesSyncEnabled)", w.users,
			func(out io.Writer, i int) {
				kind := "Member"
				if i%20 == 19 {
					kind = "Guest"
				}
				fmt.Fprintf(out, `{"id":%q,"userPrincipalName":"user%d@partner.example","displayName":"%s %d","userType":%q,"accountEnabled":%v,`+
					`"creationType":null,"externalUserState":null,"onPremisesSyncEnabled":true}`, account(i), i, []string{"Ada Lovelace", "Grace Hopper"}[i%2], i, kind, i%50 > 0)
			}},
		{"userRegistrationDetails.json", "reports/authenticationMethods/userRegistrationDetails", w.users, func(out io.Writer, i int) {
			methods := `"microsoftAuthenticatorPush","softwareOneTimePasscode"`
			if i%10 == 0 {
				methods = ""
			}
			fmt.Fprintf(out, `{"id":%q,"userPrincipalName":"user%d@partner.example","userDisplayName":"Ada Lovelace %d","userType":"member","isAdmin":%v,`+
				`"isSsprRegistered":true,"isSsprEnabled":false,"isSsprCapable":false,"isMfaRegistered":%v,"isMfaCapable":%v,"isPasswordlessCapable":false,`+
				`"lastUpdatedDateTime":"2024-05-31T00:00:00Z","methodsRegistered":[%s],"isSystemPreferredAuthenticationMethodEnabled":true,`+
				`"systemPreferredAuthenticationMethods":["push"],"userPreferredMethodForSecondaryAuthentication":"push"}`,
				account(i), i, i, i%1000 == 0, i%10 > 0, i%10 > 0, methods)
		}},
		{"groups.json", "groups(id,displayName,members())", w.groups, func(out io.Writer, i int) {
			fmt.Fprintf(out, `{"id":%q,"displayName":"Group %d","securityEnabled":true,"mailEnabled":false,"groupTypes":[],"isAssignableToRole":null,"members":[`, group(i), i)
			for k := range 8 * w.users / w.groups {
				if k > 0 {
					fmt.Fprint(out, ",")
				}
				fmt.Fprintf(out, `{"@odata.type":"#microsoft.graph.user","id":%q}`, account(r.IntN(w.users)))
			}
			fmt.Fprint(out, "]}")
		}},
		{"roleDefinitions.json", "roleManagement/directory/roleDefinitions", 1, func(out io.Writer, _ int) {
			fmt.Fprintf(out, `{"id":%q,"displayName":"Global Administrator","isBuiltIn":true,"isEnabled":true,"templateId":%[1]q}`, globalAdministrator)
		}},
		{"roleAssignments.json", "roleManagement/directory/roleAssignments", w.users / 1000, func(out io.Writer, i int) {
			fmt.Fprintf(out, `{"id":"%08x-3333-4333-8333-%012x","principalId":%q,"roleDefinitionId":%q,"directoryScopeId":"/","appScopeId":null}`, i, i,
				account(i*1000), globalAdministrator)
		}},
		{"applications.json", "applications", w.users / 100, func(out io.Writer, i int) {
			fmt.Fprintf(out, `{"id":"%08x-4444-4444-8444-%012x","appId":"%[1]08x-5555-4555-8555-%012[2]x","displayName":"App %[1]d","signInAudience":"AzureADMyOrg",`+
				`"passwordCredentials":[],"keyCredentials":[],"requiredResourceAccess":[]}`, i, i)
		}},
		{"conditionalAccessPolicies.json", "identity/conditionalAccess/policies", w.policies, func(out io.Writer, i int) {
			users, apps := `"includeUsers":["All"],"includeGroups":[],"excludeGroups":[`+quoted(group(0), group(1))+`]`, `"All"`
			if i > 0 {
				users = `"includeUsers":[],"includeGroups":[` + quoted(group(r.IntN(w.groups)), group(r.IntN(w.groups))) + `],"excludeGroups":[]`
				apps = quoted(fmt.Sprintf("%08x-5555-4555-8555-%012x", i, i))
			}
			fmt.Fprintf(out, `{"id":"%08x-6666-4666-8666-%012x","displayName":"Policy %d","state":"enabled","createdDateTime":"2024-01-01T00:00:00Z",`+
				`"conditions":{"clientAppTypes":["all"],"applications":{"includeApplications":[%s],"excludeApplications":[],"includeUserActions":[]},`+
				`"users":{%s,"excludeUsers":[],"includeRoles":[],"excludeRoles":[]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`, i, i, i, apps, users)
		}},
	}
	for _, l := range lists {
		if err := list(l.name, l.context, l.n, l.item); err != nil {
			return err
		}
	}
	return nil
}

func quoted(list ...string) string { return `"` + strings.Join(list, `","`) + `"` }
