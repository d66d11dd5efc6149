//go:build !judge

package judge

import "partnerguard/internal/cli/kit"

// planner is who makes a plan, as the trail would say it.
func planner() string { return kit.LocalUser() }
