"""What the audit can say of the labels themselves: their ceiling, their voters, and which of them look wrong."""
