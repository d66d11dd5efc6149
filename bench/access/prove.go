package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"partnerguard/internal/access"
)

// big says how large a tenant to prove.
type big struct {
	Policies, Users, Groups int
	Entangled               bool // the worst case: clauses that multiply
	Unknown                 bool // three-valued facts: see unsure
}

// measured is what a proof's process reports.
type measured struct {
	Compile, Prove, All time.Duration
	CPU                 time.Duration // of compiling and proving, over all cores
	Tenant, Peak        int64         // bytes: the tenant alone; the process at most, until it is proved
	Verdict, Reason     string
	Gaps, Possible      int
	TooComplex          bool
}

// target is what one row has to reach.
type target struct {
	big
	within time.Duration
	peak   int64 // bytes; 0 is none
}

// proofs prints the two sizes that are promised, both with three-valued facts,
// then the set of policies that was built to be hard.
func proofs() error {
	tab := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tab, "policies\tusers\tgroups\tcompile\tprove every sign-in\tboth\tprocessor\tall seven questions\ttenant alone\tpeak memory\tverdict\t")
	var missed []string
	for _, t := range []target{
		{big{200, 100_000, 2_000, false, true}, 600 * time.Millisecond, 0},
		{big{1_000, 1_000_000, 2_000, false, true}, 8 * time.Second, 1_500_000_000},
	} {
		m, err := prove(t.big)
		if err != nil {
			return err
		}
		round := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
		fmt.Fprintf(tab, "%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%d MB\t%d MB\t%s, %d gaps\t\n", t.Policies, t.Users, t.Groups, round(m.Compile), round(m.Prove),
			round(m.Compile+m.Prove), round(m.CPU), round(m.All), m.Tenant/1e6, m.Peak/1e6, m.Verdict, m.Gaps)
		if m.Compile+m.Prove > t.within || t.peak > 0 && m.Peak > t.peak {
			missed = append(missed, fmt.Sprintf("MISSED: %d policies and %d users: the target is %s and %d MB (0: none)", t.Policies, t.Users, t.within, t.peak/1e6))
		}
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	for _, m := range missed {
		fmt.Println(m)
	}
	m, err := prove(big{1_200, 10_000, 500, true, false})
	if err != nil {
		return err
	}
	fmt.Printf("the worst case, 1,200 policies and 10,000 users, took %s and says: %s\n", (m.Compile + m.Prove).Round(time.Millisecond), m.Reason)
	return nil
}

// prove runs one proof in a process of its own.
func prove(b big) (m measured, err error) {
	self, err := os.Executable()
	if err != nil {
		return m, err
	}
	job, err := json.Marshal(b)
	if err != nil {
		return m, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "PARTNERGUARD_BENCH_PROOF="+string(job))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(out, &m)
}

func proofJob(job string) error {
	var b big
	if err := json.Unmarshal([]byte(job), &b); err != nil {
		return err
	}
	t := makeBig(b)
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m := measured{Tenant: int64(mem.HeapAlloc)}
	if path := os.Getenv("PARTNERGUARD_BENCH_PROFILE"); path != "" {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	used := processor()
	start := time.Now()
	e := access.Compile(t)
	m.Compile = time.Since(start)
	start = time.Now()
	q, _ := access.FindQuestion("mfa-every-sign-in")
	p, err := e.Prove(q)
	if err != nil {
		return err
	}
	m.Prove = time.Since(start)
	m.Verdict, m.Reason, m.Gaps, m.TooComplex = string(p.Verdict), p.Reason, len(p.Gaps)+p.More, p.TooComplex
	m.CPU = processor() - used
	m.Possible = len(p.Possible)
	m.Peak = peak()
	if path := os.Getenv("PARTNERGUARD_BENCH_ANSWER"); path != "" { // to compare two builds
		b, err := json.MarshalIndent(p, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return err
		}
	}
	start = time.Now()
	for _, q := range access.Questions() {
		if _, err := e.Prove(q); err != nil {
			return err
		}
	}
	m.All = time.Since(start)
	runtime.KeepAlive(t)
	return json.NewEncoder(os.Stdout).Encode(m)
}

// peak is the most memory the process held, from the kernel; 0 where there is
// no such file.
func peak() int64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		if rest, ok := strings.CutPrefix(s.Text(), "VmHWM:"); ok {
			var kb int64
			fmt.Sscan(rest, &kb)
			return kb << 10
		}
	}
	return 0
}

// processor is the processor time that this process took so far.
func processor() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// makeBig makes a tenant: nested groups, users with about 20 of them, and
// policies as a large company collects them.
func makeBig(b big) *access.Tenant {
	r := rand.New(rand.NewPCG(uint64(b.Policies), uint64(b.Users)))
	t := &access.Tenant{KnownGroups: map[string]bool{}, RolesKnown: true, Whole: true}
	groups := make([]string, b.Groups)
	parent := make([]int, b.Groups)
	for i := range groups {
		groups[i] = guid(1, i)
		t.KnownGroups[groups[i]] = true
		parent[i] = -1
		if i > 50 {
			parent[i] = r.IntN(i)
		}
	}
	roles := make([]string, 30)
	for i := range roles {
		roles[i] = guid(2, i)
	}
	t.Users = make([]access.Subject, b.Users)
	in := make([]int, b.Groups)
	for i := range t.Users {
		s := &t.Users[i]
		s.ID, s.Name = guid(4, i), fmt.Sprintf("user%d@example.com", i)
		s.Groups = make([]string, 0, 20)
		for len(s.Groups) < 16 {
			for g := r.IntN(b.Groups); g >= 0 && in[g] != i+1; g = parent[g] {
				in[g] = i + 1
				s.Groups = append(s.Groups, groups[g])
			}
		}
		if b.Unknown {
			unsure(r, s, i, groups, roles)
		}
		switch r.IntN(50) {
		case 0:
			s.Roles = []string{roles[r.IntN(len(roles))]}
		case 1:
			s.Eligible = []string{roles[r.IntN(len(roles))], roles[r.IntN(len(roles))]}
		case 2:
			s.External, s.HomeTenant = access.CollaborationGuest, guid(7, r.IntN(20))
		}
	}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	some := func(list []string, n int) (out []string) {
		for range n {
			out = append(out, pick(list))
		}
		return out
	}
	half := func(list []string) (out []string) {
		for _, i := range r.Perm(len(list))[:len(list)/2] {
			out = append(out, list[i])
		}
		return out
	}
	apps, offices := make([]string, 60), 8
	if b.Entangled {
		apps, offices = make([]string, 300), 200
	}
	for i := range apps {
		apps[i] = guid(3, i)
	}
	for i := range offices + 4 {
		l := &access.NamedLocation{ID: guid(5, i), DisplayName: fmt.Sprintf("Office %d", i)}
		if i < offices {
			l.Ranges.Items = []access.IPRange{{CIDR: fmt.Sprintf("10.%d.0.0/16", i)}}
		} else {
			l.Countries = []string{"NL", "DE", "FR", "BE"}[i-offices : i-offices+1]
		}
		t.Locations = append(t.Locations, l)
	}
	places := make([]string, len(t.Locations))
	for i, l := range t.Locations {
		places[i] = l.ID
	}
	add := func(control string, change func(c *access.Conditions)) {
		p := &access.Policy{ID: guid(6, len(t.Policies)), DisplayName: fmt.Sprintf("Policy %d", len(t.Policies)), State: access.Enabled,
			GrantControls: &access.GrantControls{Operator: "OR", BuiltInControls: strings.Split(control, "|")}}
		p.Conditions.Applications.IncludeApplications = []string{"All"}
		change(&p.Conditions)
		t.Policies = append(t.Policies, p)
	}
	everybody := func(c *access.Conditions) { c.Users.IncludeUsers = []string{"All"} }
	add("block", func(c *access.Conditions) {
		everybody(c)
		c.ClientAppTypes = []string{"exchangeActiveSync", "other"}
	})
	if !b.Entangled {
		add("mfa", func(c *access.Conditions) {
			everybody(c)
			c.Users.ExcludeGroups = groups[:3]
			c.Users.ExcludeUsers = []string{t.Users[0].ID, t.Users[1].ID}
		})
		add("mfa", func(c *access.Conditions) { // those left out, but for the first group, are asked elsewhere
			c.Users.IncludeGroups = groups[1:3]
		})
		add("mfa", func(c *access.Conditions) { c.Users.IncludeRoles = roles })
	}
	platforms := []string{"android", "iOS", "windows", "macOS", "linux", "windowsPhone"}
	for len(t.Policies) < b.Policies {
		add([]string{"mfa", "mfa", "mfa|compliantDevice", "block"}[r.IntN(4)], func(c *access.Conditions) {
			c.Users.IncludeGroups = some(groups, 1+r.IntN(6))
			if r.IntN(3) == 0 {
				c.Users.ExcludeGroups = some(groups, 2)
			}
			c.Applications.IncludeApplications = some(apps, 1+r.IntN(5))
			if r.IntN(3) == 0 {
				c.Locations.Items = []access.LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: some(places, 2)}}
			}
			if r.IntN(4) == 0 {
				c.Platforms.Items = []access.PlatformCondition{{Include: some(platforms, 2)}}
			}
			if r.IntN(5) == 0 {
				c.SignInRiskLevels = []string{"medium", "high"}
			}
			if b.Entangled { // everybody, and each clause leaves out another half
				everybody(c)
				c.Users.IncludeGroups, c.Users.ExcludeGroups = nil, nil
				c.Applications = access.Applications{IncludeApplications: []string{"All"}, ExcludeApplications: half(apps)}
				c.Platforms.Items = []access.PlatformCondition{{Include: []string{"all"}, Exclude: half(platforms)}}
				c.Locations.Items = []access.LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: half(places)}}
				c.SignInRiskLevels = half([]string{"none", "low", "medium", "high"})
				c.UserRiskLevels = half([]string{"none", "low", "medium", "high"})
			}
		})
	}
	return t
}

// unsure leaves open, of one account in ten, what an export may leave open: whether it is
// in two groups (4 %), whether it holds a role (3 %), of which type it is (1 %), groups and
// a role at once (1 %), and whether it is exempt (1 %).
func unsure(r *rand.Rand, s *access.Subject, i int, groups, roles []string) {
	perhaps := func() {
		for len(s.PerhapsGroups) < 2 {
			if g := groups[r.IntN(len(groups))]; !slices.Contains(s.Groups, g) && !slices.Contains(s.PerhapsGroups, g) {
				s.PerhapsGroups = append(s.PerhapsGroups, g)
			}
		}
	}
	switch i % 100 {
	case 0, 10, 20, 30:
		perhaps()
	case 1, 11, 21:
		s.PerhapsRoles = []string{roles[r.IntN(len(roles))]}
	case 2:
		s.Kinds = []access.External{access.Member, access.InternalGuest}
	case 3:
		perhaps()
		s.PerhapsRoles = []string{roles[r.IntN(len(roles))]}
	case 4:
		s.MayBeExempt = true
	}
}
