/** What a node is at present. A learner is a follower that has no vote; see `RaftView.isLearner`. */
export type Role = "follower" | "preCandidate" | "candidate" | "leader";
