package main

import (
	"context"
	"fmt"

	"partnerguard/internal/access"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/signin/fold"
)

// replayed does what the rehearse command does over one file: the fold, every
// surviving row brought to the classes of two engines of 25 policies and more,
// and each pattern decided by both.
func replayed(path string) error {
	r, err := open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	today := &access.Tenant{RolesKnown: true, KnownGroups: map[string]bool{}}
	for i := range 25 {
		p := &access.Policy{ID: fmt.Sprint(i), DisplayName: fmt.Sprintf("policy %d", i), State: access.Enabled,
			GrantControls: &access.GrantControls{Operator: "OR", BuiltInControls: []string{"mfa"}}}
		p.Conditions.Users.IncludeUsers = []string{fmt.Sprintf("00000000-0000-4000-8000-%012d", i)}
		p.Conditions.Applications.IncludeApplications = []string{fmt.Sprintf("10000000-0000-4000-8000-%012d", i), "Office365"}
		p.Conditions.ClientAppTypes = []string{"browser", "mobileAppsAndDesktopClients"}
		p.Conditions.Locations.Items = []access.LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: []string{fmt.Sprint("l", i%5)}}}
		today.Policies = append(today.Policies, p)
	}
	for i := range 5 {
		l := &access.NamedLocation{ID: fmt.Sprint("l", i), DisplayName: fmt.Sprint("location ", i)}
		l.Ranges.Items = []access.IPRange{{CIDR: fmt.Sprintf("203.0.%d.0/24", i)}, {CIDR: fmt.Sprintf("198.51.%d.0/25", i)}}
		today.Locations = append(today.Locations, l)
	}
	then := *today
	then.Policies = append(append([]*access.Policy(nil), today.Policies...), access.PartnerBaseline()...)
	a, b := access.Compile(today), access.Compile(&then)
	history := rehearse.NewHistory(a, b)
	ctx := context.Background()
	f := fold.New(fold.Options{Scratch: tempScratch{}, Visit: history.Visitor})
	if err := lines(ctx, r, path, f); err != nil {
		return err
	}
	if _, err := f.Finish(ctx, nil); err != nil {
		return err
	}
	result := rehearse.Rehearse(rehearse.Input{Proposal: "partner-baseline", Today: a, Then: b, History: history})
	if result.Rows == 0 || len(result.Groups) == 0 {
		return fmt.Errorf("implausible: %d rows, %d groups", result.Rows, len(result.Groups))
	}
	return nil
}
