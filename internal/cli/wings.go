//go:build !judge

package cli

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/cloud"
	"partnerguard/internal/cli/connect"
	"partnerguard/internal/cli/guard"
	"partnerguard/internal/cli/judge"
	"partnerguard/internal/cli/keep"
	"partnerguard/internal/cli/kit"
)

// only says what a build lacks; this one lacks nothing.
const only = ""

// wings are the groups of commands, in the order of the help.
func wings(env *kit.Env) []wing {
	return []wing{
		judging(env, judge.Joined{Delegation: append(guard.DelegationMoves(env), guard.NewDelegationProbe(env)), // its delegation changes, too
			Spend: []*cobra.Command{guard.NewSpendStatus(env)}, Remedy: guard.RemedyRuns(env), Sign: guard.SignPlan(env)}),
		{"connect", "Connect a partner and its customers:", connect.Commands(env)},
		{"guard", "Hand out tokens, and serve:", guard.Commands(env, connect.NewTokenCheck(env), judge.NewAppPasswordDecide(env))},
		{"keep", "Look after what is kept:", keep.Commands(env)},
		{"cloud", "Try it, offline:", cloud.Commands(env)},
	}
}
