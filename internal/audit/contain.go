package audit

// The containment of Azure fraud.
const (
	ContainPlanned    Action = "contain.planned"     // a plan was made, which changes nothing
	ContainApplied    Action = "contain.applied"     // somebody wants it done
	ContainRuled      Action = "contain.ruled"       // a rule approved steps of it that can be taken back
	ContainApproved   Action = "contain.approved"    // a second person said yes to exactly its steps
	ContainRetried    Action = "contain.retried"     // steps that failed are tried again
	ContainAsked      Action = "contain.asked"       // a change is about to be asked of Microsoft
	ContainChanged    Action = "contain.changed"     // Microsoft's answer to it
	ContainFailed     Action = "contain.failed"      // a step is not done, and why
	ContainCancelled  Action = "contain.cancelled"   // somebody ended it: nothing more is begun
	ContainRolledBack Action = "contain.rolled-back" // somebody has it taken back
	ContainOver       Action = "contain.over"        // nothing is left to do; what was found afterwards
	ContainAnswered   Action = "contain.answered"    // Microsoft is told what the alert was, by somebody's choice
)
