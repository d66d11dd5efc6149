// Package cover chooses the smallest set of roles that covers all needs: fewest privileged
// ones, then least weight, then fewest. Small problems are solved exactly; of larger ones the
// search is bounded and says how far from the best its answer may be. It knows nothing of roles.
package cover
