package judge

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/render"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// NewDelegation makes the commands of delegated rights: what judges is here; what changes
// something comes from another wing.
func NewDelegation(env *kit.Env, more ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: "delegation", Short: "Say what you may do at your customers, by which way, and what of it is needed",
		Long: `delegation tells what a partner may do at its customers: delegated admin
privileges (DAP), granular delegated admin privileges (GDAP) with every relationship in every state,
the security groups behind them with nested and eligible members, rights in Azure,
and permissions of apps. paths follows each way from a person to a role.

What was not read is not known, and never taken for no.`,
		Example: `  partnerguard delegation list
  partnerguard delegation list --from exports/ --customer fabrikam.example
  partnerguard delegation paths --customer Fabrikam --role 'Global Administrator' --svg fabrikam.svg`,
		Args: kit.Suggest,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDelegationList(env), newDelegationPaths(env), newDelegationRecommend(env), newDelegationExplain(env), newDelegationUnused(env),
		newDelegationExpiring(env))
	cmd.AddCommand(more...)
	return cmd
}

// delegated is where an inventory comes from: files that are named, else what was collected,
// else the embedded sample partner.
type delegated struct {
	from []string
	asOf kit.Moment
	kept func(context.Context) (*delegation.Inventory, error) // nil where nothing is kept
}

func (d *delegated) register(env *kit.Env, cmd *cobra.Command) {
	kit.AddFrom(env, cmd, &d.from)
	cmd.Flags().Var(&d.asOf, "as-of", "the moment it is told as of; default now")
	d.kept = keptInventory(env, cmd)
}

// inventory reads; own says of which customers their own lists are read beside the partner's.
func (d *delegated) inventory(ctx context.Context, env *kit.Env, own func(tenant string) bool) (*delegation.Inventory, error) {
	if len(d.from) == 0 && d.kept != nil {
		inv, err := d.kept(ctx)
		if !errors.Is(err, problem.NotFound) {
			return inv, err
		}
	}
	bar := kit.NewProgress(env, "reading")
	inv, src, err := app.Delegation(ctx, app.DelegationReading{Own: own, Reading: app.Reading{From: d.from, Stdin: env.Stdin, Progress: bar.Set,
		At: d.asOf.End(), Now: env.Now().UTC(), AsOf: d.asOf.End(), Archive: env.Archive}})
	bar.Done()
	if err != nil {
		return nil, err
	}
	if len(d.from) > 0 {
		kit.TellUnread(env, src.Facts)
	}
	return inv, nil
}

func newDelegationList(env *kit.Env) *cobra.Command {
	var (
		in       delegated
		customer string
		output   = kit.NewOutput("text", "json", "csv")
	)
	cmd := &cobra.Command{
		Use: "list", Short: "Show what you may do at each customer", Args: kit.NoArgs,
		Long: `list shows each customer with DAP, its GDAP relationships in every state, when the
soonest ends, and which of their roles are Global Administrator or lead there. With --customer it
shows that one in full: each relationship with its roles, the groups that use it, and
who is in them.

Without --from it shows what was collected, or the embedded sample partner.`,
		Example: `  partnerguard delegation list
  partnerguard delegation list --customer fabrikam.example
  partnerguard delegation list --from exports/ --output csv --out delegation.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inv, err := in.inventory(cmd.Context(), env, func(string) bool { return customer != "" })
			if err != nil {
				return err
			}
			one, err := only(inv, customer)
			if err != nil {
				return err
			}
			if one == nil && len(inv.Customers) > 0 {
				kit.Next(env, "partnerguard delegation paths%s --role 'Global Administrator'", kit.From(in.from))
			}
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error {
					if one != nil {
						return render.CustomerText(w, inv, one, output.Screen(env))
					}
					return render.ListText(w, inv, output.Screen(env))
				},
				"json": func(w io.Writer) error { return print.JSON(w, inv) },
				"csv":  func(w io.Writer) error { return render.ListCSV(w, inv) },
			})
		},
	}
	in.register(env, cmd)
	cmd.Flags().StringVar(&customer, "customer", "", "one customer alone: tenant id, domain or name")
	output.RegisterFile(cmd)
	return cmd
}

// only keeps one customer of an inventory; nil where all are asked for.
func only(inv *delegation.Inventory, customer string) (*delegation.Customer, error) {
	if customer == "" {
		return nil, nil //nolint:nilnil // all of them
	}
	q, err := delegation.Resolve(inv, delegation.Question{Customer: customer})
	if err != nil {
		return nil, err
	}
	for i := range inv.Customers {
		if inv.Customers[i].Tenant == q.Customer {
			inv.Customers = inv.Customers[i : i+1]
			return &inv.Customers[0], nil
		}
	}
	return nil, problem.New(problem.Internal, "the customer %s is gone", q.Customer)
}

func newDelegationPaths(env *kit.Env) *cobra.Command {
	var (
		in     delegated
		q      delegation.Question
		svg    string
		output = kit.NewOutput("text", "json", "csv")
	)
	cmd := &cobra.Command{
		Use: "paths", Short: "Follow the ways from people to roles at customers", Args: kit.NoArgs,
		Long: `paths answers who can do what at which customer, and by which way: person, groups,
access assignment, relationship, role. It says which ways need an activation, which are not
known to be ways and why, and what else opens the same door: DAP, a right in
Azure, a permission of an app.

Asked for Global Administrator it also shows the roles that lead there, and how.`,
		Example: `  partnerguard delegation paths --customer Fabrikam --role 'Global Administrator'
  partnerguard delegation paths --person ada@contoso.example --svg ada.svg
  partnerguard delegation paths --from exports/ --role 'User Administrator' --output csv --out paths.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.Person == "" && q.Customer == "" && q.Role == "" {
				return problem.New(problem.Usage, "paths was asked for nothing").
					WithHint("name a person, a customer or a role: partnerguard delegation paths --role 'Global Administrator'")
			}
			inv, err := in.inventory(cmd.Context(), env, func(string) bool { return true })
			if err != nil {
				return err
			}
			asked, err := delegation.Resolve(inv, q)
			if err != nil {
				return err
			}
			ways := delegation.Ask(inv, asked)
			if svg != "" {
				if err := kit.WriteOut(env, svg, render.Draw(inv, &ways).SVG); err != nil {
					return err
				}
			}
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return render.WaysText(w, inv, &ways, output.Screen(env)) },
				"json": func(w io.Writer) error { return print.JSON(w, waysJSON(inv, &ways)) },
				"csv":  func(w io.Writer) error { return render.WaysCSV(w, inv, &ways) },
			})
		},
	}
	in.register(env, cmd)
	f := cmd.Flags()
	f.StringVar(&q.Person, "person", "", "a person: user principal name, name or object id")
	f.StringVar(&q.Customer, "customer", "", "a customer: tenant id, domain or name")
	f.StringVar(&q.Role, "role", "", "a role: its name or template id")
	f.StringVar(&svg, "svg", "", "write the ways as a picture to this file")
	_ = cmd.MarkFlagFilename("svg", "svg")
	output.RegisterFile(cmd)
	return cmd
}

// waysJSON is the answer with the names of what it goes by.
func waysJSON(inv *delegation.Inventory, w *delegation.Ways) any {
	type names struct {
		People    map[string]*delegation.Person `json:"people"`
		Groups    map[string]string             `json:"groups"`
		Customers map[string]string             `json:"customers"`
	}
	n := names{map[string]*delegation.Person{}, map[string]string{}, map[string]string{}}
	for i := range w.Paths {
		p := &w.Paths[i]
		if who := inv.People[p.Person]; who != nil {
			n.People[p.Person] = who
		}
		for _, g := range append([]string{p.Group}, p.Via...) {
			if g != "" && n.Groups[g] == "" {
				n.Groups[g] = inv.GroupName(g)
			}
		}
		if n.Customers[p.Customer] == "" {
			n.Customers[p.Customer] = inv.CustomerName(p.Customer)
		}
	}
	return struct {
		AsOf time.Time `json:"asOf"`
		*delegation.Ways
		Names names `json:"names"`
	}{inv.AsOf, w, n}
}
